#!/usr/bin/env bash
# settings.sh DIRECTORY: gathers how this machine reaches Debian's archive and PyPI (mirror, proxy, certificates,
# DNS), for nodes to do it the same way. Whatever it finds stays on this machine.
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"

out=${1:?usage: settings.sh DIRECTORY}
umask 077
mkdir -p "$out/ca"

proxy=${https_proxy:-${HTTPS_PROXY:-${http_proxy:-${HTTP_PROXY:-}}}}

mirror() { # mirror LABEL: where this machine's apt gets what carries LABEL
    local uri=
    if command -v apt-get >/dev/null; then
        # shellcheck disable=SC2016  # apt's own variables
        uri=$(apt-get indextargets --format '$(LABEL) $(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
            awk -v label="$1" '$1 == label && $2 ~ /^https?:/ {print $2; exit}')
    fi
    [ -n "$uri" ] || die "this machine's apt knows no archive with the label $1 (see: apt-get indextargets)"
    echo "$uri"
}
{
    mirror Debian
    mirror Debian-Security
} >"$out/mirrors"

apt_settings() {
    if command -v apt-config >/dev/null; then
        apt-config dump | grep -E '^Acquire::(https?::(Proxy|Timeout)|Retries|ForceIPv4|Check-(Valid-Until|Date))' || true
    fi
    [ -z "$proxy" ] || printf 'Acquire::http::Proxy "%s";\nAcquire::https::Proxy "%s";\n' "$proxy" "$proxy"
}
apt_settings >"$out/apt.conf"

pip_settings() {
    set +o pipefail # files may be missing
    local name value
    for name in index-url extra-index-url trusted-host proxy; do
        value=PIP_$(echo ${name^^} | tr - _)
        value=${!value:-$(cat /etc/pip.conf ~/.config/pip/pip.conf 2>/dev/null | sed -n "s/^$name *= *//p" | tail -n 1)}
        if [ $name = proxy ]; then value=${value:-$proxy}; fi
        [ -z "$value" ] || echo "$name = $value"
    done
}
(echo '[global]' && pip_settings) >"$out/pip.conf"

for certificate in /usr/local/share/ca-certificates/*.crt; do
    [ ! -e "$certificate" ] || cp "$certificate" "$out/ca/"
done

# Only LXC's nodes have no DNS of their own. A resolver that listens on this machine's loopback can't be reached
# from a node: take what stands behind systemd-resolved, or what SALTRONI_DNS says.
if [ "$PROVIDER" = lxc ]; then
    resolv=/etc/resolv.conf
    if grep -q '^nameserver 127\.' $resolv && [ -e /run/systemd/resolve/resolv.conf ]; then
        resolv=/run/systemd/resolve/resolv.conf
    fi
    if [ -n "${SALTRONI_DNS:-}" ]; then
        echo "nameserver $SALTRONI_DNS" >"$out/resolv.conf"
    else
        grep -E '^(nameserver|search|options) ' $resolv >"$out/resolv.conf" || die "no nameserver in $resolv: set SALTRONI_DNS"
        if grep -q '^nameserver 127\.' "$out/resolv.conf"; then
            die "this machine's DNS is on its loopback, nodes can't reach it: set SALTRONI_DNS to another server's address"
        fi
    fi
fi
