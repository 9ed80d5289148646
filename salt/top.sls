# Every node is prepared, then does what its roles say.
base:
  '*':
    - node
{%- for role in pillar['saltroni']['self']['roles'] %}
    - {{ role }}
{%- endfor %}
