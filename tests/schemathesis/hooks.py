"""What schemathesis must not send: a webhook's address that could be a real server's. It is sent with a local name
instead, which the server refuses, so that no test reaches out of this machine."""

import schemathesis

LOCAL = "https://localhost/hook"


def replace_addresses(value):
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "webhook_url" and isinstance(inner, str):
                value[key] = LOCAL
            else:
                replace_addresses(inner)
    elif isinstance(value, list):
        for inner in value:
            replace_addresses(inner)


@schemathesis.hook
def before_call(context, case, kwargs):
    replace_addresses(case.body)
