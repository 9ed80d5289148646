Install the Python packages that our runners use:
  pip.installed:
    - pkgs:
      - jsonschema >= 4.18
      - jinja2 >= 3.1
    # asking pip takes seconds
    - unless:
      - fun: salt_python.has
        args: [jinja2, jsonschema]
    - order: 1
