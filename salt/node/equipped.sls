# Into the Python that runs Salt, however it was installed.
Install the Python packages that our modules use:
  pip.installed:
    - pkgs:
      - requests >= 2.31
      - psycopg[binary] >= 3.2, < 4
    - reload_modules: true
    # asking pip takes seconds
    - unless:
      - fun: salt_python.has
        args: [psycopg, requests]
    - order: 1
{%- if pillar['saltroni']['drills']['allowed'] %}

Install what drills cut networks with:
  pkg.installed:
    - pkgs: [nftables]
    - install_recommends: false
    - cache_valid_time: 86400  # seconds
{%- endif %}
