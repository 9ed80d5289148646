Install the Python packages that our runners use:
  pip.installed:
    - pkgs:
      - jsonschema >= 4.18
      - jinja2 >= 3.1
    # asking pip takes seconds
    - unless: {{ grains['pythonexecutable'] }} -c 'import jinja2, jsonschema'
    - order: 1
