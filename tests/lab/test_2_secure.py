"""Who isn't meant to get in doesn't, and secrets stay where they belong."""

import json

import psycopg
import pytest
import requests


def connect(lab, authority, balancer, password, host=None, **options):
    settings = {
        "host": host or lab.address(balancer),
        "hostaddr": lab.address(balancer),
        "port": lab.model["haproxy"]["ports"]["leader"],
        "user": "app",
        "dbname": "app",
        "password": password,
        "sslmode": "verify-full",
        "sslrootcert": str(authority),
        "connect_timeout": 10,
    }
    return psycopg.connect(**dict(settings, **options))


@pytest.mark.parametrize("balancer", ["lb1", "lb2"])
def test_a_client_reaches_the_leader_with_tls_verified(lab, authority, secrets, balancer):
    for host in (balancer, lab.address(balancer)):
        with connect(lab, authority, balancer, secrets["users"]["app"], host=host) as connection:
            assert connection.execute("SELECT pg_is_in_recovery()").fetchone() == (False,)
            assert connection.execute("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()").fetchone() == (True,)


@pytest.mark.parametrize(
    ("why", "options", "words"),
    [
        ("no TLS", {"sslmode": "disable"}, "rejects connection|no pg_hba.conf entry"),
        ("wrong password", {"password": "wrong"}, "password authentication failed"),
        ("wrong name", {"host": "db.elsewhere"}, "does not match host name"),
        ("the cluster's own account", {"user": "postgres", "dbname": "postgres"}, "rejects connection"),
    ],
)
def test_refused(lab, authority, secrets, why, options, words):
    with pytest.raises(psycopg.OperationalError, match=words):
        connect(lab, authority, "lb1", **{"password": secrets["users"]["app"], **options})


def test_replicas_serve_reads_on_their_own_port(lab, authority, secrets):
    port = lab.model["haproxy"]["ports"]["replicas"]
    with connect(lab, authority, "lb1", secrets["users"]["app"], port=port) as connection:
        assert connection.execute("SELECT pg_is_in_recovery()").fetchone() == (True,)


def test_sync_standbys_serve_reads_on_their_own_port(lab, authority, secrets):
    port = lab.model["haproxy"]["ports"]["synchronous"]
    with connect(lab, authority, "lb2", secrets["users"]["app"], port=port) as connection:
        assert connection.execute("SELECT pg_is_in_recovery()").fetchone() == (True,)


@pytest.mark.parametrize(("node", "port"), [("etcd1", 2379), ("etcd1", 2380), ("pg1", 8008), ("lb1", 8404)], ids=str)
def test_no_answer_without_a_client_certificate(lab, authority, node, port):
    with pytest.raises(requests.exceptions.RequestException):
        requests.get(f"https://{lab.address(node)}:{port}/health", verify=str(authority), timeout=5)


ASK = """
import sys, requests
method, url, body = sys.argv[1:]
pki = "/etc/saltroni/pki/"
answer = requests.request(
    method, url, data=body or None, verify=pki + "ca.crt", cert=(pki + "haproxy.crt", pki + "haproxy.key"), timeout=10
)
print(answer.status_code, answer.text)
"""


def ask_with_a_balancers_certificate(lab, method, url, body=""):
    """What a service says to a load balancer, which has a certificate of the CA but no account."""
    return lab.run("lb1", "/opt/salt/bin/python3", "-", method, url, body, stdin=ASK).stdout


def test_a_certificate_alone_does_not_open_etcd(lab):
    url = f"https://{lab.address('etcd1')}:2379/v3/kv/range"
    answer = ask_with_a_balancers_certificate(lab, "POST", url, json.dumps({"key": "L3NhbHRyb25pLw=="}))
    assert "kvs" not in answer
    assert "user name is empty" in answer or "permission denied" in answer, answer


def test_a_certificate_alone_changes_nothing_in_patroni(lab):
    url = f"https://{lab.address('pg1')}:8008/restart"
    assert ask_with_a_balancers_certificate(lab, "POST", url).startswith("401")
    assert ask_with_a_balancers_certificate(lab, "GET", url.replace("restart", "cluster")).startswith("200")


# The master keeps each node's pillar in /var/cache/salt/master/pillar: its own, readable by root only, see below.
SEARCH = r"""
set -u
cat >/root/patterns
trap 'rm -f /root/patterns' EXIT
for file in /proc/[0-9]*/cmdline /proc/[0-9]*/environ; do
    tr '\0' ' ' <"$file" 2>/dev/null | grep -qFf /root/patterns && echo "process: $file $(tr '\0' ' ' <"$file")"
done
journalctl --no-pager --quiet 2>/dev/null | grep -FHf /root/patterns --label=journal | head -n 3
grep -rlFf /root/patterns /var/log /var/cache/salt /srv/saltroni 2>/dev/null |
    grep -v ^/var/cache/salt/master/pillar/ | sed 's/^/log or cache: /'
find / -xdev -type f \( -perm /o+r -o -perm /g+r \) -size -5M -not -path '/proc/*' -not -path '/sys/*' -print0 2>/dev/null |
    xargs -0 -r grep -lFf /root/patterns 2>/dev/null | sed 's/^/readable by others: /'
true
"""


def test_no_secret_lies_around(lab, secrets):
    every = [secret for name, secret in secrets.items() if name != "users"] + list(secrets["users"].values())
    assert len(every) >= 8
    found = {}
    for node in lab.model["nodes"]:
        shown = lab.run(node, "sh", "-c", f"umask 077; {SEARCH}", stdin="\n".join(every) + "\n").stdout.strip()
        if shown:
            found[node] = shown
    assert found == {}


def test_keys_are_readable_by_their_owner_only(lab):
    for node in lab.model["nodes"]:
        shown = lab.run(
            node, "find", "/etc/saltroni", "/etc/salt/pki", "(", "-name", "*.key", "-o", "-name", "*.pem", ")",
            "-perm", "/077", "-type", "f",
        )  # fmt: skip
        assert shown.stdout.strip() == "", node
