"""Where a node keeps its certificates and how it talks TLS to the others."""

import ssl

PKI = "/etc/saltroni/pki"
CA = f"{PKI}/ca.crt"

#: Roles whose certificate a module uses as its client's, the first that the node has.
ORDER = ("patroni", "etcd", "haproxy", "master", "s3")


def files(certificate):
    """Paths of a certificate and its key."""
    return f"{PKI}/{certificate}.crt", f"{PKI}/{certificate}.key"


def client(model):
    """Certificate and key by which this node proves to others who it is.

    Args:
        model: the pillar's ``saltroni``.
    """
    roles = model["self"]["roles"]
    return files(next(role for role in ORDER if role in roles))


def context(model):
    """A TLS context that trusts the cluster's CA only, checks names, and shows this node's certificate."""
    made = ssl.create_default_context(cafile=CA)
    made.load_cert_chain(*client(model))
    return made
