{{/* The environment of each role, with only the secrets that the role needs. */}}

{{/* One variable from a Secret: (dict "name" … "secret" … "key" …). */}}
{{- define "trainyard.fromSecret" -}}
- name: {{ .name }}
  valueFrom: {secretKeyRef: {name: {{ .secret | quote }}, key: {{ .key | quote }}}}
{{ end -}}

{{/* (dict "root" $ "role" "api"). `own` is the name of the Secret with the secrets of the values; the migration has its own, which exists before the release. */}}
{{- define "trainyard.env" -}}
{{- $values := .root.Values -}}
{{- $own := default (include "trainyard.fullname" .root) .own -}}
{{- $serves := has .role (list "api" "worker" "inference") -}}
- {name: LOG_FORMAT, value: json}
{{ include "trainyard.fromSecret" (dict "name" "DATABASE_URL" "secret" (default $own $values.database.existingSecret) "key" (ternary $values.database.existingSecretKey "DATABASE_URL" (ne $values.database.existingSecret ""))) -}}
{{- if $serves -}}
- {name: LISTEN, value: {{ printf "%s:8080" $values.listenAddress | quote }}}
{{- if eq .role "api" }}
- {name: TRAINYARD__API__UPLOAD_DIR, value: /var/lib/trainyard/uploads}
{{- else if eq .role "worker" }}
- {name: TRAINYARD__WORKER__WORK_DIR, value: /var/lib/trainyard/work}
{{- else }}
- {name: TRAINYARD__INFERENCE__CACHE_DIR, value: /var/lib/trainyard/models}
{{- if include "trainyard.grpc" . }}
- {name: TRAINYARD__INFERENCE__GRPC_LISTEN, value: {{ printf "%s:8001" $values.listenAddress | quote }}}
{{- end }}
{{- end }}
- {name: TRAINYARD__SERVER__SHUTDOWN_GRACE_S, value: {{ $values.shutdownGraceSeconds | int64 | quote }}}
{{ include "trainyard.fromSecret" (dict "name" "REDIS_URL" "secret" (default $own $values.redis.existingSecret) "key" (ternary $values.redis.existingSecretKey "REDIS_URL" (ne $values.redis.existingSecret ""))) -}}
- {name: ARTIFACT_URL, value: {{ $values.artifacts.url | quote }}}
{{- with $values.artifacts.region }}
- {name: AWS_REGION, value: {{ . | quote }}}
{{- end }}
{{- with $values.artifacts.endpoint }}
- {name: AWS_ENDPOINT_URL, value: {{ . | quote }}}
{{- end }}
{{ if not $values.artifacts.ambientCredentials -}}
{{- range tuple "AWS_ACCESS_KEY_ID" "AWS_SECRET_ACCESS_KEY" -}}
{{ include "trainyard.fromSecret" (dict "name" . "secret" (default $own $values.artifacts.existingSecret) "key" .) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if has .role (list "api" "inference") -}}
- {name: TRAINYARD__SERVER__DRAIN_DELAY_S, value: {{ $values.drainDelaySeconds | int64 | quote }}}
{{ if and $values.ingress.enabled $values.ingress.trustedProxies -}}
- {name: TRAINYARD__SERVER__TRUSTED_PROXIES, value: {{ join "," $values.ingress.trustedProxies | quote }}}
{{ end -}}
{{ include "trainyard.fromSecret" (dict "name" "JWT_SECRET" "secret" (default $own $values.auth.existingSecret) "key" "JWT_SECRET") -}}
{{- end -}}
{{- if and $values.webhooks.enabled (has .role (list "api" "worker")) -}}
{{ include "trainyard.fromSecret" (dict "name" "TRAINYARD__WEBHOOKS__SECRET" "secret" (default $own $values.webhooks.existingSecret) "key" "TRAINYARD__WEBHOOKS__SECRET") -}}
{{- end -}}
{{- if and (eq .role "api") $values.auth.adminEmail -}}
- {name: ADMIN_EMAIL, value: {{ $values.auth.adminEmail | quote }}}
{{ include "trainyard.fromSecret" (dict "name" "ADMIN_PASSWORD" "secret" (default $own $values.auth.existingSecret) "key" "ADMIN_PASSWORD") -}}
{{- end -}}
{{- if eq .role "worker" -}}
- {name: TRAINYARD__WORKER__CONCURRENCY, value: {{ $values.worker.concurrency | int64 | quote }}}
- {name: TRAINYARD__WORKER__GRACE_S, value: {{ $values.worker.graceSeconds | int64 | quote }}}
- {name: TRAINYARD__WORKER__CHILD_MEMORY_MB, value: {{ $values.worker.childMemoryMb | int64 | quote }}}
{{- if include "trainyard.marks" .root }}
- name: TRAINYARD__WORKER__POD_NAME
  valueFrom: {fieldRef: {fieldPath: metadata.name}}
{{- end }}
{{ end -}}
{{- if or $values.extraCa.configMap $values.extraCa.secret -}}
{{- /* Both are read: the additional certificates, and the directory with the public certificates. */ -}}
- {name: SSL_CERT_FILE, value: /etc/trainyard/ca/ca.crt}
- {name: SSL_CERT_DIR, value: /etc/ssl/certs}
{{ end -}}
{{- with include "trainyard.settings" . }}{{ trim . }}
{{ end -}}
{{- with concat $values.extraEnv (ternary (get $values .role | default dict).extraEnv list $serves) -}}
{{ toYaml . }}
{{- end -}}
{{- end -}}

{{/* `settings` of all roles, overridden by the role's settings. Helm parses numbers as floats and prints large numbers as 1e+06, so integers are converted. */}}
{{- define "trainyard.settings" -}}
{{- $own := (get .root.Values .role | default dict).settings | default dict -}}
{{- range $section, $keys := mergeOverwrite (deepCopy .root.Values.settings) (deepCopy $own) -}}
{{- range $key, $value := $keys }}
- {name: {{ printf "TRAINYARD__%s__%s" $section $key | upper }}, value: {{ ternary (int64 $value) $value (kindIs "float64" $value) | quote }}}
{{- end }}
{{- end }}
{{- end -}}
