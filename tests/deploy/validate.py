"""Checks manifests on standard input against the schemas of Kubernetes versions given as arguments, strictly, and prints them as JSON.

What has no schema in Kubernetes (resources of operators) is passed on unchecked. Wrong ones are named, and end this with status 1.
"""

import functools
import json
import sys

import kubernetes_validate
import yaml
from kubernetes_validate import utils

# The library would read the schemas of all kinds anew for each manifest.
utils.schema_contents = functools.cache(utils.schema_contents)



class Loader(yaml.SafeLoader):
    """Refuses a key that stands twice in a map, of which Kubernetes would silently take the last."""

    def construct_mapping(self, node, deep=False):
        keys = [key.value for key, _ in node.value]
        twice = {key for key in keys if keys.count(key) > 1}
        if twice:
            sys.exit(f"twice in one map: {twice} {node.start_mark}")
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
