Install the Python packages that our runners use:
  pip.installed:
    - pkgs:
      - jsonschema >= 4.18
      - jinja2 >= 3.1
    - order: 1
