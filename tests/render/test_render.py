"""Every state of every role renders for every pillar, and what is refused is refused before anything is rendered."""

import json

import pytest
import yaml
from salt.exceptions import CommandExecutionError

from saltroni.guard import guarding

from .conftest import NODES, PILLARS

ROLES = ("salt", "etcd1", "pg1", "lb1", "s3")


def own_nodes(pillar):
    return pillar.get("nodes", NODES)


@pytest.mark.parametrize("node", ROLES)
def test_highstate_renders(caller, pillar, node):
    if node not in own_nodes(pillar):
        pytest.skip("this pillar has no such node")
    states = caller(node, pillar).cmd("state.show_highstate")
    assert isinstance(states, dict), states
    for role in own_nodes(pillar)[node]["roles"]:
        assert any(state["__sls__"].startswith(f"{role}.") for state in states.values()), f"nothing for {role}"


def test_versions_come_from_the_pillar(caller):
    states = caller("etcd1", PILLARS["strict, own ports and parameters"]).cmd("state.show_highstate")
    (packages,) = [part["pkgs"] for part in states["Install etcd"]["pkg"] if isinstance(part, dict) and "pkgs" in part]
    assert {"etcd-server": "3.5.*"} in packages


def test_no_secret_is_part_of_a_state(caller, pillar):
    """Compiled states rest in a node's cache in clear; secrets belong into templates only."""
    for node in own_nodes(pillar):
        run = caller(node, pillar)
        secrets = flat(run.opts["pillar"]["saltroni"]["secrets"])
        text = json.dumps(run.cmd("state.show_highstate"), default=str)
        assert not [secret for secret in secrets if secret in text]


def flat(secrets):
    for value in secrets.values():
        yield from (value.values() if isinstance(value, dict) else [value])


def template(run, source, tmp_path):
    target = tmp_path / source.rsplit("/", maxsplit=1)[-1]
    answer = run.cmd("cp.get_template", f"salt://{source}", str(target))
    assert answer, f"{source} doesn't render"
    return target.read_text(encoding="utf-8")


def test_patroni_configuration(caller, pillar, tmp_path):
    run = caller("pg1", pillar)
    config = yaml.safe_load(template(run, "patroni/files/patroni.yml.jinja", tmp_path))
    model = run.opts["pillar"]["saltroni"]
    assert config["scope"] == model["cluster"]
    assert config["restapi"]["verify_client"] == "required"
    assert config["bootstrap"]["dcs"] == json.loads(json.dumps(dict(model["dcs"])))
    assert config["postgresql"]["pg_hba"] == list(model["pg_hba"])
    assert config["watchdog"]["mode"] in ("off", "automatic", "required")
    assert {"data-checksums", "auth-local"} <= {
        entry if isinstance(entry, str) else next(iter(entry)) for entry in config["bootstrap"]["initdb"]
    }
    for account in ("superuser", "replication", "rewind"):
        assert config["postgresql"]["authentication"][account]["sslmode"] == "verify-full"


def test_lease_guard(caller, pillar, tmp_path):
    run = caller("pg1", pillar)
    model = run.opts["pillar"]["saltroni"]
    states = run.cmd("state.show_highstate")
    assert ("Run the lease guard" in states) is model["guard"]["enabled"]
    assert ("Run no lease guard" in states) is not model["guard"]["enabled"]
    settings = json.loads(template(run, "patroni/files/guard.json.jinja", tmp_path))
    assert settings["own"] == "pg1"
    assert settings["parts"] == {part: model["guard"][part] for part in ("lease", "connections", "wake")}
    assert [host.rsplit(":")[1] for host in settings["etcd"]["hosts"]] == [
        str(model["etcd"]["client_port"]) for _ in model["by_role"]["etcd"]
    ]
    config = yaml.safe_load(template(run, "patroni/files/patroni.yml.jinja", tmp_path))
    assert settings["etcd"]["prefix"] == f"{config['namespace']}{config['scope']}/"
    assert settings["data_dir"] == config["postgresql"]["data_dir"]
    assert settings["socket"].startswith(config["postgresql"]["parameters"]["unix_socket_directories"])
    assert settings["patroni"]["password"] == config["restapi"]["authentication"]["password"]
    # what the program takes from it, it finds
    guarding.Guard(settings)


def test_haproxy_configuration(caller, pillar, tmp_path):
    node = "lb1" if "lb1" in own_nodes(pillar) else "pg1"
    run = caller(node, pillar)
    text = template(run, "haproxy/files/haproxy.cfg.jinja", tmp_path)
    model = run.opts["pillar"]["saltroni"]
    servers = [line.split() for line in text.splitlines() if line.strip().startswith("server ")]
    assert len(servers) == 3 * len(model["by_role"]["patroni"])
    for server in servers:
        assert server[server.index("verifyhost") + 1] == server[1]
        assert server[server.index("verify") + 1] == "required"
    for port in model["haproxy"]["ports"].values():
        assert f"bind {model['self']['address']}:{port}" in text
    assert "retries 0" in text
    assert "lua-load /etc/haproxy/end-sessions.lua" in text
    assert not any(
        "on-marked-down" in line for line in text.splitlines() if line.strip().startswith(("server", "default-"))
    )


def test_etcd_configuration(caller, pillar, tmp_path):
    node = "etcd1" if "etcd1" in own_nodes(pillar) else "pg1"
    text = template(caller(node, pillar), "etcd/files/etcd.jinja", tmp_path)
    assert 'ETCD_CLIENT_CERT_AUTH="true"' in text
    assert 'ETCD_PEER_CLIENT_CERT_AUTH="true"' in text
    assert "http://" not in text


def test_master_opens_no_more_than_it_must(caller, pillar, tmp_path):
    run = caller("salt", pillar)
    config = yaml.safe_load(template(run, "master/files/master.conf.jinja", tmp_path))
    (calls,) = config["peer"].values()
    allowed = run.opts["pillar"]["saltroni"]["drills"]["allowed"]
    functions = [function for entry in calls for names in entry.values() for function in names]
    wanted = [r"x509\.sign_remote_certificate$", r"fault\.(inject|heal|active|able|logs)$"]
    assert functions == (wanted if allowed else wanted[:1])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"postgres": {}}, "Additional properties"),
        ({"timings": {"retry_timeout_s": 10}}, "must not exceed ttl_s"),
        ({"haproxy": {"timeout_check_ms": 15000, "fall": 3}}, "frozen leader"),
        ({"postgresql": {"parameters": {"shared_buffers": "2GB"}}}, "must fit into"),
    ],
)
def test_bad_pillar_renders_nothing(caller, changes, words):
    text = refusal(caller("pg1", changes))
    assert words in text
    assert "nothing is changed" in text


def test_a_node_that_no_cluster_has_gets_nothing(caller):
    assert "add it to saltroni:nodes" in refusal(caller("stranger", {}))


def refusal(run):
    """What Salt says when it refuses to render."""
    with pytest.raises(CommandExecutionError) as caught:
        run.cmd("state.show_highstate")
    return f"{caught.value} {caught.value.info}"


@pytest.mark.parametrize("node", ROLES)
def test_whatever_a_state_needs_is_there(caller, pillar, node):
    """A requisite that nothing fulfils fails its state only when it is applied."""
    if node not in own_nodes(pillar):
        pytest.skip("this pillar has no such node")
    low = caller(node, pillar).cmd("state.show_lowstate")
    assert isinstance(low, list) and all(isinstance(state, dict) for state in low), low
    known = {(state["state"], state[key]) for state in low for key in ("__id__", "name")}
    known |= {("sls", state["__sls__"]) for state in low}
    for state in low:
        for kind in ("require", "watch", "onchanges", "listen", "onfail"):
            for wanted in state.get(kind, []):
                assert next(iter(wanted.items())) in known, f"{state['__id__']} needs {wanted}"
