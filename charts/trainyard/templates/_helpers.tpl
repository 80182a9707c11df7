{{/* Names and labels. */}}

{{- define "trainyard.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{/* Prefix of every resource: short enough for "-inference" behind it. */}}
{{- define "trainyard.fullname" -}}
{{- $name := include "trainyard.name" . -}}
{{- $full := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) -}}
{{- default $full .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{/* What never changes, for selectors: (dict "root" $ "role" "api"). */}}
{{- define "trainyard.selector" -}}
app.kubernetes.io/name: {{ include "trainyard.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .role }}
{{- end -}}

{{/* The rest. They change with versions, so a pod of a ScaledJob does not get the chart's. */}}
{{- define "trainyard.labels" -}}
{{ include "trainyard.selector" . }}
app.kubernetes.io/part-of: trainyard
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name (replace "+" "_" .root.Chart.Version) }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "trainyard.image" -}}
{{- with .Values.image -}}
{{- if .digest }}{{ .repository }}@{{ .digest }}{{ else }}{{ .repository }}:{{ default $.Chart.AppVersion .tag }}{{ end -}}
{{- end -}}
{{- end -}}

{{/* The service account of a role. */}}
{{- define "trainyard.account" -}}
{{- $values := .root.Values.serviceAccount -}}
{{- if $values.create }}{{ include "trainyard.fullname" .root }}-{{ .role }}{{ else }}{{ default "default" $values.name }}{{ end -}}
{{- end -}}

{{/* "true" where workers mark busy pods: pods of a ScaledJob are never chosen by anybody. */}}
{{- define "trainyard.marks" -}}
{{- if and .Values.worker.markBusyPods (eq .Values.worker.kind "Deployment") }}true{{ end -}}
{{- end -}}

{{/* Restricted pod security. The image's user is a number, so none has to be named, and OpenShift may choose its own. */}}
{{- define "trainyard.podSecurity" -}}
runAsNonRoot: true
seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{- define "trainyard.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end -}}
