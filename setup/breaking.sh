#!/bin/sh
# Usage: sh setup/breaking.sh: refuses a change of proto/ that would break clients, against where this branch left main,
# or against the commit before when it has not. Needs node_modules/.bin in PATH.

against() {
  for main in origin/main main; do
    base=$(git merge-base HEAD "$main" 2>/dev/null) && [ "$base" != "$(git rev-parse HEAD)" ] && echo "$base" && return
  done
  git rev-parse --quiet --verify HEAD~
}

base=$(against) || {
  echo 'skipped: no earlier commit to compare with (no history here, or a shallow clone)'
  exit 0
}
git cat-file -e "$base:buf.yaml" 2>/dev/null || {
  echo "skipped: commit $base has no wire contract yet"
  exit 0
}
echo "against commit $base"
git archive --format=tar "$base" buf.yaml proto | buf breaking --exclude-imports --against '-#format=tar'
