#!/bin/sh
# A scanner outside in shell: polls, fetches, looks, answers. Needs curl, jq and sha256sum; see docs/extending.md.
# SALLYPORT_URL=http://127.0.0.1:8080 SALLYPORT_API_KEY=keyId:keySecret SIGNATURE='text that is malware' sh scanner.sh
set -u
api() { curl -fsS --max-time 60 -u "$SALLYPORT_API_KEY" -H 'Content-Type: application/json' "$@"; }
object=$(mktemp) && trap 'rm -f "$object"' EXIT
while :; do
  task=$(api "$SALLYPORT_URL/api/tasks/poll/batch/scan_outside?timeout=5000&workerid=shell" | jq -c '.[0] // empty')
  [ -n "$task" ] || { sleep 1; continue; }
  about=$(printf '%s' "$task" | jq -c '{taskId, workflowInstanceId}')
  if curl -fsS --max-time 600 -o "$object" "$(printf '%s' "$task" | jq -r .inputData.readUrl)"; then
    if grep -qaF -- "$SIGNATURE" "$object"; then found='[{"ruleId":"Shell.Signature","title":"The signature"}]'; else found='[]'; fi
    jq -nc --argjson about "$about" --argjson found "$found" --argjson bytes "$(wc -c <"$object")" \
      --arg sha256 "$(sha256sum <"$object" | cut -d' ' -f1)" '$about + {status: "COMPLETED", outputData:
        {kind: "malware", engine: {name: "shell", version: "1"}, $sha256, bytesScanned: $bytes, findings: $found}}'
  else
    jq -nc --argjson about "$about" '$about + {status: "FAILED", reasonForIncompletion: "the object was not to be had"}'
  fi | api -X POST "$SALLYPORT_URL/api/tasks" -d @- >/dev/null
done
