"""Who may have which certificate: the CA's signing policies, one for each node and role.

Every field that a requester could set to its advantage is pinned here (Salt's x509 module takes the requester's
value for whatever a policy leaves open).
"""

CA_FOLDER = "/etc/saltroni/ca"

#: Certificates beyond a role's own: role -> {name of the certificate: common name}.
#: etcd takes the common name of a client's certificate as its user. No other certificate has one: etcd refuses them at
#: its JSON gateway, by which Patroni comes, and names to verify stand in the subjectAltName.
EXTRA = {"etcd": {"etcd-root": "root"}}

#: pgBackRest too knows others by their common name only. etcd has no user of this name.
PGBACKREST = {"pgbackrest": "pgbackrest"}

#: What a policy leaves open, the requester chooses. An extension with no value is left out.
LOCKS = {
    "not_after": None,
    "not_before": None,
    "serial_number": None,
    "copypath": None,
    "prepend_cn": False,
    "csr": None,
    "digest": "sha256",
    "issuerAltName": None,
    "authorityInfoAccess": None,
    "crlDistributionPoints": None,
    "certificatePolicies": None,
    "policyConstraints": None,
    "inhibitAnyPolicy": None,
    "nameConstraints": None,
    "noCheck": None,
    "tlsfeature": None,
}


def policy_name(cluster, node, certificate):
    """The policy that signs ``certificate`` of ``node``."""
    return f"{cluster}.{node}.{certificate}"


def _subject(cluster, node, common_name):
    # as a string, since only then a requester can add nothing to it; RFC 4514, names of nodes and clusters are plain
    return f"{f'CN={common_name},' if common_name else ''}OU={node},O=saltroni {cluster}"


def extra(model, role):
    """Certificates of ``role`` beyond its own: ``{name of the certificate: common name}``."""
    backup = model["backup"]
    if role == "patroni" and backup["enabled"] and backup["tool"] == "pgbackrest" and len(model["by_role"][role]) > 1:
        return PGBACKREST
    return EXTRA.get(role, {})


def certificates(model, node):
    """What a node's certificates must say: ``{certificate: {subject, names, policy}}``."""
    wanted = {}
    for role in model["nodes"][node]["roles"]:
        for certificate, common_name in {role: None, **extra(model, role)}.items():
            wanted[certificate] = {
                "subject": _subject(model["cluster"], node, common_name),
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
                subject=wanted["subject"],
                days_valid=model["certificates"]["days"],
                basicConstraints="critical, CA:false",
                keyUsage="critical, digitalSignature, keyEncipherment",
                extendedKeyUsage="serverAuth, clientAuth",
                subjectAltName=wanted["names"],
                subjectKeyIdentifier="hash",
                authorityKeyIdentifier="keyid",
            )
    return result
