{%- if not salt['salt_python.has']('jinja2', 'jsonschema', 'matplotlib', 'markdown_it', 'orjson') %}
Install the Python packages that our runners use:
  pip.installed:
    - pkgs:
      - jsonschema >= 4.18
      - jinja2 >= 3.1
      # 100 000 events are read three times as fast
      - orjson >= 3.10, < 4
      # pictures and the HTML form of the report
      - matplotlib >= 3.10, < 4
      - markdown-it-py >= 3, < 5
    - order: 1
{%- endif %}
{%- set backup = pillar['saltroni']['backup'] %}
{%- if backup['enabled'] and backup['encryption'] and backup['tool'] == 'walg' %}

# The key that encrypts backups is made by it when the next node asks for its pillar.
Install what makes PGP keys:
  pkg.installed:
    - pkgs: [gpg, gpg-agent, gpgconf]
    - install_recommends: false
    - cache_valid_time: 86400  # seconds
{%- endif %}
