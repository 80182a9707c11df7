{{/* Names and labels. */}}

{{- define "trainyard.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{/* Prefix of every resource name, with room for the suffix "-inference". */}}
{{- define "trainyard.fullname" -}}
{{- $name := include "trainyard.name" . -}}
{{- $full := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) -}}
{{- default $full .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{/* Labels that never change, for selectors: (dict "root" $ "role" "api"). */}}
{{- define "trainyard.selector" -}}
app.kubernetes.io/name: {{ include "trainyard.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .role }}
{{- end -}}

{{/* Other labels. They change with versions, so pods of a ScaledJob do not get the chart's label. */}}
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

{{/* "true" if workers set the deletion cost of busy pods. Not for a ScaledJob, which is not scaled in. */}}
{{- define "trainyard.marks" -}}
{{- if and .Values.worker.markBusyPods (eq .Values.worker.kind "Deployment") }}true{{ end -}}
{{- end -}}

{{/* "true" if the role has a gRPC listener: (dict "root" $ "role" "inference"). */}}
{{- define "trainyard.grpc" -}}
{{- if and (eq .role "inference") (not (kindIs "invalid" .root.Values.inference.service.grpcPort)) }}true{{ end -}}
{{- end -}}

{{/* Restricted pod security. The image has a numeric user, so none is set here, and OpenShift can choose a user. */}}
{{- define "trainyard.podSecurity" -}}
runAsNonRoot: true
seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{- define "trainyard.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end -}}
