{{- define "accrete.name" -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- end -}}

{{- define "accrete.selector" -}}
app.kubernetes.io/name: accrete
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "accrete.labels" -}}
{{ include "accrete.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}
