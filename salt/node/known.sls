{%- for name, node in pillar['saltroni']['nodes'] | dictsort %}
Know {{ name }} by its name:
  host.only:
    - name: {{ node['address'] }}
    - hostnames:
      - {{ name }}
{%- endfor %}
