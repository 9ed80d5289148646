# Into the Python that runs Salt, however it was installed. Not even asked where they are there: Salt reads all its states to
# find pip's (1.3 s).
{%- if not salt['salt_python.has']('psycopg', 'requests') %}
Install the Python packages that our modules use:
  pip.installed:
    - pkgs:
      - requests >= 2.31
      - psycopg[binary] >= 3.2, < 4
    - reload_modules: true
    - order: 1
{%- endif %}
{%- if pillar['saltroni']['drills']['allowed'] %}

Install what drills cut networks with:
  pkg.installed:
    - pkgs: [nftables]
    - install_recommends: false
    - cache_valid_time: 86400  # seconds
{%- endif %}
