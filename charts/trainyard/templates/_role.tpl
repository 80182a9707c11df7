{{/* The Deployment of a role: (dict "root" $ "role" "api"). */}}

{{- define "trainyard.deployment" -}}
{{- $role := get .root.Values .role -}}
{{- $scaled := ternary (dig "keda" "enabled" false $role) (dig "autoscaling" "enabled" false $role) (eq .role "worker") -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "trainyard.fullname" .root }}-{{ .role }}
  labels: {{- include "trainyard.labels" . | nindent 4 }}
spec:
  {{- /* With autoscaling, the autoscaler owns the number: an upgrade must not reset it. */}}
  {{- if not $scaled }}
  replicas: {{ if kindIs "invalid" $role.replicas }}2{{ else }}{{ $role.replicas }}{{ end }}
  {{- end }}
  revisionHistoryLimit: 5
  selector:
    matchLabels: {{- include "trainyard.selector" . | nindent 6 }}
  strategy: {{- toYaml $role.strategy | nindent 4 }}
  template: {{- include "trainyard.pod" . | nindent 4 }}
{{- end -}}

{{/* The pod template for a Deployment, or with "once" for a Job that exits after one training job. */}}
{{- define "trainyard.pod" -}}
{{- $root := .root -}}
{{- $values := $root.Values -}}
{{- $role := get $values .role -}}
metadata:
  {{- $labels := mergeOverwrite (deepCopy $values.commonLabels) (deepCopy $role.podLabels) (include "trainyard.selector" . | fromYaml) }}
  labels: {{- toYaml $labels | nindent 4 }}
  {{- /* Changed secrets in the values replace the pods. Generated secrets never change, so the checksum does not include them. */}}
  {{- $inline := pick $values "database" "redis" "artifacts" "auth" "webhooks" | toJson | sha256sum | trunc 16 }}
  {{- $annotations := dict "kubectl.kubernetes.io/default-container" .role "checksum/values" $inline }}
  {{- if .once }}
  {{- $_ := set $annotations "cluster-autoscaler.kubernetes.io/safe-to-evict" "false" }}
  {{- $_ := set $annotations "karpenter.sh/do-not-disrupt" "true" }}
  {{- end }}
  annotations: {{- toYaml (mergeOverwrite $annotations $role.podAnnotations) | nindent 4 }}
spec:
  serviceAccountName: {{ include "trainyard.account" . }}
  automountServiceAccountToken: {{ and (eq .role "worker") (eq (include "trainyard.marks" $root) "true") }}
  enableServiceLinks: false
  terminationGracePeriodSeconds: {{ if eq .role "worker" }}{{ add $role.graceSeconds 30 }}{{ else }}{{ add $values.drainDelaySeconds $values.shutdownGraceSeconds 15 }}{{ end }}
  {{- if .once }}
  restartPolicy: Never
  {{- end }}
  securityContext: {{- include "trainyard.podSecurity" $root | nindent 4 }}
  {{- with $values.image.pullSecrets }}
  imagePullSecrets: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $role.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  {{- with $role.nodeSelector }}
  nodeSelector: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $role.tolerations }}
  tolerations: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $role.affinity }}
  affinity: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- if and $values.topologySpread.enabled (not .once) }}
  topologySpreadConstraints:
    {{- range tuple "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
    - topologyKey: {{ . }}
      maxSkew: 1
      whenUnsatisfiable: {{ $values.topologySpread.whenUnsatisfiable }}
      labelSelector:
        matchLabels: {{- include "trainyard.selector" $ | nindent 10 }}
      matchLabelKeys: [pod-template-hash]
    {{- end }}
  {{- end }}
  containers:
    - name: {{ .role }}
      image: {{ include "trainyard.image" $root | quote }}
      imagePullPolicy: {{ $values.image.pullPolicy }}
      args: [{{ .role }}{{ if .once }}, --max-jobs, "1"{{ end }}]
      env: {{- include "trainyard.env" . | trim | nindent 8 }}
      ports:
        - {name: http, containerPort: 8080}
        {{- if include "trainyard.grpc" . }}
        - {name: grpc, containerPort: 8001}
        {{- end }}
      {{- /* Readiness checks each dependency for up to 2 s; liveness checks none, so that a database outage restarts no pod. */}}
      startupProbe:
        httpGet: {path: /health, port: http}
        periodSeconds: 2
        failureThreshold: 60
      livenessProbe:
        httpGet: {path: /health, port: http}
        periodSeconds: 10
        timeoutSeconds: 5
        failureThreshold: 3
      readinessProbe:
        httpGet: {path: /health/ready, port: http}
        periodSeconds: 5
        timeoutSeconds: 5
        failureThreshold: 2
      securityContext: {{- include "trainyard.containerSecurity" $root | nindent 8 }}
      resources: {{- toYaml $role.resources | nindent 8 }}
      volumeMounts:
        - {name: work, mountPath: /var/lib/trainyard}
        - {name: tmp, mountPath: /tmp}
        {{- with include "trainyard.caMount" $root }}{{ . | nindent 8 }}{{ end }}
  volumes:
    - name: work
      emptyDir: {sizeLimit: {{ $role.workDirSize }}}
    - name: tmp
      emptyDir: {sizeLimit: 64Mi}
    {{- with include "trainyard.caVolume" $root }}{{ . | nindent 4 }}{{ end }}
{{- end -}}

{{- define "trainyard.caMount" -}}
{{- if or .Values.extraCa.configMap .Values.extraCa.secret -}}
- {name: ca, mountPath: /etc/trainyard/ca, readOnly: true}
{{- end -}}
{{- end -}}

{{- define "trainyard.caVolume" -}}
{{- with .Values.extraCa -}}
{{- if .configMap -}}
- name: ca
  configMap: {name: {{ .configMap }}, items: [{key: {{ .key }}, path: ca.crt}]}
{{- else if .secret -}}
- name: ca
  secret: {secretName: {{ .secret }}, items: [{key: {{ .key }}, path: ca.crt}]}
{{- end -}}
{{- end -}}
{{- end -}}
