#!/bin/sh
# Generates the stack's secrets at the first start, and writes each service's secrets into a folder that only this service
# mounts. Existing secrets are kept, so the script can run at every start. Refuses unknown settings in .env.
set -eu
volume=/secrets
example=/env.example

fail() { echo "secrets: $*" >&2; exit 1; }

# Unknown names that begin like a known name. The binary checks TRAINYARD__… itself (see `migrate`).
check_names() {
    known=$(sed -n 's/^#\{0,1\}\([A-Z][A-Z0-9_]*\)=.*/\1/p' "$example")
    for name in $(env | sed -n 's/^\([A-Za-z][A-Za-z0-9_]*\)=.*/\1/p'); do
        case $name in
            TRAINYARD__*) continue ;;
            DATABASE_URL* | REDIS_URL* | ARTIFACT_URL* | AWS_*) fail "$name in .env: this stack brings its own database, queue and object store" ;;
        esac
        echo "$known" | grep -qx "$name" && continue
        echo "$known" | grep -q "^${name%%_*}_" || continue
        fail "$name in .env is no setting; .env.example lists them all"
    done
}

random() { tr -dc A-Za-z0-9 </dev/urandom | head -c "$1"; }

# Writes $2 into the file $1 atomically.
write() {
    mkdir -p "$(dirname "$1")"
    printf %s "$2" >"$1.new"
    mv "$1.new" "$1"
}

# secret NAME VALUE-IN-.env GENERATED-VALUE SERVICE...: stores a secret and writes it for the services.
secret() {
    name=$1 given=$2 made_up=$3
    shift 3
    kept=$volume/kept/$name
    [ -z "$given" ] || write "$kept" "$given"
    [ -s "$kept" ] || write "$kept" "$made_up"
    give "$name" "$(cat "$kept")" "$@"
}

# The same for secrets that are used only at the first start: a later value would have no effect.
first_secret() {
    given=$2
    if [ -s "$volume/kept/$1" ] && [ -n "$given" ] && [ "$given" != "$(cat "$volume/kept/$1")" ]; then
        echo "secrets: $1 was set at the first start; the one in .env now is left out"
        given=
    fi
    name=$1
    shift 2
    secret "$name" "$given" "$@"
}

# give NAME VALUE SERVICE...
give() {
    file=$1 value=$2
    shift 2
    for service in "$@"; do write "$volume/$service/$file" "$value"; done
}

check_names
# Services run as different users. The mounted folder decides which secrets a service can read.
umask 022

first_secret admin_password "${ADMIN_PASSWORD:-}" "$(random 20)" api
first_secret grafana_password "${GRAFANA_PASSWORD:-}" "$(random 20)" grafana
secret jwt_secret "${JWT_SECRET:-}" "$(random 48)" api inference
# Letters and digits are valid base64: 48 characters are 36 bytes.
secret webhook_secret "${TRAINYARD__WEBHOOKS__SECRET:-}" "whsec_$(random 48)" api worker
secret postgres_password "" "$(random 32)" postgres
secret redis_password "" "$(random 32)" redis
secret s3_key "" "$(random 20)" api worker inference
secret s3_secret "" "$(random 40)" api worker inference

give database_url "postgres://trainyard:$(cat $volume/kept/postgres_password)@postgres/trainyard" api worker inference migrate
give redis_url "redis://:$(cat $volume/kept/redis_password)@redis" api worker inference
give redis.conf "requirepass $(cat $volume/kept/redis_password)
" redis
give s3.json '{"identities": [{"name": "trainyard",
  "credentials": [{"accessKey": "'"$(cat $volume/kept/s3_key)"'", "secretKey": "'"$(cat $volume/kept/s3_secret)"'"}],
  "actions": ["Read:trainyard", "Write:trainyard", "List:trainyard", "Tagging:trainyard"]}]}
' s3

echo "secrets: all there. The administrator's password: docker compose exec api cat /run/secrets/admin_password"
