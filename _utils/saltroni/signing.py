"""Who may have which certificate: the CA's signing policies, one for each node and role.

Every field that a requester could set to its advantage is pinned here (Salt's x509 module takes the requester's
value for whatever a policy leaves open).
"""

CA_FOLDER = "/etc/saltroni/ca"

#: Certificates beyond a role's own: role -> {name of the certificate: common name}.
#: etcd takes the common name of a client's certificate as its user.
EXTRA = {"etcd": {"etcd-root": "root"}}

LOCKS = {
    "not_after": None,
    "not_before": None,
    "serial_number": None,
    "copypath": None,
    "prepend_cn": False,
    "csr": None,
    "digest": "sha256",
}


def policy_name(cluster, node, certificate):
    """The policy that signs ``certificate`` of ``node``."""
    return f"{cluster}.{node}.{certificate}"


def certificates(model, node):
    """What a node's certificates must say: ``{certificate: {common_name, names, policy}}``."""
    wanted = {}
    for role in model["nodes"][node]["roles"]:
        for certificate, common_name in {role: node, **EXTRA.get(role, {})}.items():
            wanted[certificate] = {
                "common_name": common_name,
                "names": list(model["names"][node][role]),
                "policy": policy_name(model["cluster"], node, certificate),
            }
    return wanted


def policies(model):
    """``x509_signing_policies`` for the CA's minion."""
    folder = f"{CA_FOLDER}/{model['cluster']}"
    result = {}
    for node in model["nodes"]:
        for wanted in certificates(model, node).values():
            result[wanted["policy"]] = dict(
                LOCKS,
                minions=node,
                signing_private_key=f"{folder}/ca.key",
                signing_cert=f"{folder}/ca.crt",
                CN=wanted["common_name"],
                O=f"saltroni {model['cluster']}",
                days_valid=model["certificates"]["days"],
                basicConstraints="critical, CA:false",
                keyUsage="critical, digitalSignature, keyEncipherment",
                extendedKeyUsage="serverAuth, clientAuth",
                subjectAltName=wanted["names"],
                subjectKeyIdentifier="hash",
                authorityKeyIdentifier="keyid",
            )
    return result
