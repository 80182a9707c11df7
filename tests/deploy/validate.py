"""Validates manifests on standard input with the schemas of the Kubernetes versions in the arguments, and prints the manifests as JSON.

Kinds without a Kubernetes schema (custom resources) are not validated. Invalid manifests are reported, and the exit status is 1.
"""

import functools
import json
import sys

import kubernetes_validate
import yaml
from kubernetes_validate import utils

# The library would read all schemas again for each manifest.
utils.schema_contents = functools.cache(utils.schema_contents)



class Loader(yaml.SafeLoader):
    """Refuses duplicate keys in a map; Kubernetes would use the last one silently."""

    def construct_mapping(self, node, deep=False):
        keys = [key.value for key, _ in node.value]
        twice = {key for key in keys if keys.count(key) > 1}
        if twice:
            sys.exit(f"duplicate keys in a map: {twice} {node.start_mark}")
        return super().construct_mapping(node, deep)


manifests = [manifest for manifest in yaml.load_all(sys.stdin, Loader) if manifest]
wrong = False
for manifest in manifests:
    for version in sys.argv[1:]:
        try:
            kubernetes_validate.validate(manifest, version, strict=True)
        except kubernetes_validate.SchemaNotFoundError:
            pass
        except kubernetes_validate.ValidationError as error:
            wrong = True
            path = ".".join(str(part) for part in error.path)
            name = manifest["metadata"]["name"]
            print(f"{manifest['kind']} {name}, Kubernetes {version}: {path}: {error.message}", file=sys.stderr)
json.dump(manifests, sys.stdout)
sys.exit(wrong)
