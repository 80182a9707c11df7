"""Changes requests that schemathesis must not send.

Every webhook URL becomes a local URL, which the server refuses, so that no test connects to another machine. A request that
changes the account of schemathesis gets the id of an account that does not exist. Otherwise the session would end, and all
later requests would be refused."""

import os

import schemathesis

LOCAL = "https://localhost/hook"
OWN_ACCOUNT = os.environ["OWN_ACCOUNT"]
NO_ACCOUNT = "00000000-0000-7000-8000-000000000000"


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
    if str((case.path_parameters or {}).get("id", "")).lower() == OWN_ACCOUNT:
        case.path_parameters["id"] = NO_ACCOUNT
