"""States for the cluster's own storage for backups."""

from salt.exceptions import CommandExecutionError


def bucket(name):
    """A bucket is there, and SeaweedFS serves S3 with a certificate that clients accept.

    name
        the bucket's name
    """
    result = {"name": name, "result": True, "comment": "it is there", "changes": {}}
    if __opts__["test"] and not __salt__["service.status"]("saltroni-s3"):
        result.update(result=None, comment="would be looked for once SeaweedFS runs")
        return result
    try:
        if name in __salt__["seaweedfs.buckets"]():
            return result
        if __opts__["test"]:
            result.update(result=None, comment="would be made", changes={"bucket": "made"})
            return result
        __salt__["seaweedfs.make_bucket"](name)
    except CommandExecutionError as err:
        result.update(result=False, comment=str(err))
        return result
    result.update(comment="made", changes={"bucket": "made"})
    return result
