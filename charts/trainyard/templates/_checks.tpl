{{/* Checks that the schema can't express. All invalid values are reported together, by name. */}}
{{- define "trainyard.check" -}}
{{- $values := .Values -}}
{{- $wrong := list -}}

{{- range tuple (tuple "database" "url") (tuple "redis" "url") (tuple "artifacts" "accessKeyId") (tuple "auth" "jwtSecret") (tuple "auth" "adminPassword") (tuple "webhooks" "secret") -}}
{{- $section := get $values (index . 0) -}}
{{- if and $section.existingSecret (get $section (index . 1)) -}}
{{- $wrong = append $wrong (printf "%s.%s and %s.existingSecret exclude each other: set one" (index . 0) (index . 1) (index . 0)) -}}
{{- end -}}
{{- end -}}

{{- with $values.database -}}
{{- if not (or .url .existingSecret) -}}
{{- $wrong = append $wrong "database.url or database.existingSecret is needed: postgres://user:password@host/name" -}}
{{- else if and .url (not (regexMatch "^postgres(ql)?://" .url)) -}}
{{- $wrong = append $wrong "database.url must start with postgres://; the chart supports only Postgres (SQLite is for `trainyard up`)" -}}
{{- end -}}
{{- end -}}
{{- with $values.redis -}}
{{- if not (or .url .existingSecret) -}}
{{- $wrong = append $wrong "redis.url or redis.existingSecret is needed: redis://host:6379" -}}
{{- else if and .url (not (regexMatch "^rediss?://" .url)) -}}
{{- $wrong = append $wrong "redis.url must start with redis:// or rediss://" -}}
{{- end -}}
{{- end -}}
{{- with $values.artifacts -}}
{{- if not (hasPrefix "s3://" .url) -}}
{{- $wrong = append $wrong "artifacts.url is needed: s3://bucket/prefix" -}}
{{- end -}}
{{- if not (or .existingSecret .ambientCredentials (and .accessKeyId .secretAccessKey)) -}}
{{- $wrong = append $wrong "artifacts.accessKeyId with artifacts.secretAccessKey, or artifacts.existingSecret, or artifacts.ambientCredentials is needed" -}}
{{- end -}}
{{- end -}}
{{- if and $values.auth.jwtSecret (lt (len $values.auth.jwtSecret) 32) -}}
{{- $wrong = append $wrong "auth.jwtSecret must have at least 32 bytes" -}}
{{- end -}}
{{- if and $values.webhooks.secret (not (hasPrefix "whsec_" $values.webhooks.secret)) -}}
{{- $wrong = append $wrong "webhooks.secret must start with whsec_ (docs/webhooks.md)" -}}
{{- end -}}
{{- if and $values.extraCa.configMap $values.extraCa.secret -}}
{{- $wrong = append $wrong "extraCa.configMap and extraCa.secret exclude each other: set one" -}}
{{- end -}}

{{- range tuple "api" "inference" -}}
{{- $role := get $values . -}}
{{- if and $role.autoscaling.enabled (not (kindIs "invalid" $role.replicas)) -}}
{{- $wrong = append $wrong (printf "%s.replicas and %s.autoscaling.enabled exclude each other: leave replicas null and set autoscaling.minReplicas" . .) -}}
{{- end -}}
{{- if gt (int $role.autoscaling.minReplicas) (int $role.autoscaling.maxReplicas) -}}
{{- $wrong = append $wrong (printf "%s.autoscaling.minReplicas is more than maxReplicas" .) -}}
{{- end -}}
{{- end -}}

{{- with $values.worker -}}
{{- $job := eq .kind "ScaledJob" -}}
{{- if and (or .keda.enabled $job) (not (kindIs "invalid" .replicas)) -}}
{{- $wrong = append $wrong "worker.replicas and KEDA exclude each other: leave replicas null and set worker.keda.minReplicas" -}}
{{- end -}}
{{- if and (or .keda.enabled $job) (not .keda.prometheus.serverAddress) -}}
{{- $wrong = append $wrong "worker.keda.prometheus.serverAddress is needed: KEDA reads the number of queued and running jobs from it" -}}
{{- end -}}
{{- if and $job (ne (int .concurrency) 1) -}}
{{- $wrong = append $wrong "worker.concurrency must be 1 with worker.kind ScaledJob: each pod runs one job" -}}
{{- end -}}
{{- if gt (int .keda.minReplicas) (int .keda.maxReplicas) -}}
{{- $wrong = append $wrong "worker.keda.minReplicas is more than maxReplicas" -}}
{{- end -}}
{{- end -}}

{{- /* Settings that have their own values, because probes, grace periods and Secrets depend on them. */ -}}
{{- $said := dict "server.listen" "listenAddress" "server.drain_delay_s" "drainDelaySeconds" "server.shutdown_grace_s" "shutdownGraceSeconds" "database.url" "database.url" "queue.url" "redis.url" "artifacts.url" "artifacts.url" "auth.jwt_secret" "auth.jwtSecret" "auth.admin_email" "auth.adminEmail" "auth.admin_password" "auth.adminPassword" "webhooks.secret" "webhooks.secret" "worker.concurrency" "worker.concurrency" "worker.grace_s" "worker.graceSeconds" "worker.child_memory_mb" "worker.childMemoryMb" "worker.pod_name" "worker.markBusyPods" "worker.max_jobs" "worker.kind" "api.upload_dir" "nothing: it is in the pod's volume" "worker.work_dir" "nothing: it is in the pod's volume" "inference.cache_dir" "nothing: it is in the pod's volume" "inference.grpc_listen" "inference.service.grpcPort" -}}
{{- if $values.ingress.enabled -}}
{{- $_ := set $said "server.trusted_proxies" "ingress.trustedProxies" -}}
{{- end -}}
{{- range $place, $settings := dict "settings" $values.settings "api.settings" $values.api.settings "worker.settings" $values.worker.settings "inference.settings" $values.inference.settings -}}
{{- range $section, $keys := $settings -}}
{{- range $key, $_ := $keys -}}
{{- with get $said (printf "%s.%s" $section $key) -}}
{{- $wrong = append $wrong (printf "%s.%s.%s can't be set there; the value for it is %s" $place $section $key .) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- if $wrong -}}
{{- fail (printf "\n\nInvalid values:\n  - %s\n" (join "\n  - " (uniq $wrong))) -}}
{{- end -}}
{{- end -}}
