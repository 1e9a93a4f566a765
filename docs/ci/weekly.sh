#!/usr/bin/env bash
# What the weekly job runs, on GitHub and on GitLab: read the site, write the next revision, and keep one pull request
# with it. Copy it to ci/shotgrid-weekly.sh in your repository.
#
# The branch is the job's own until a person commits to it. While it is, the job writes it anew from the main branch,
# and only where nobody has pushed meanwhile. From then on it only adds commits. It never writes over a person's.
#
# BASE is the main branch, BRANCH the job's, MIGRATIONS the folder of the revisions and the snapshot.
# GitHub: gh with GH_TOKEN. GitLab: PROJECT_TOKEN and the CI_ variables.
set -euo pipefail

BRANCH="${BRANCH:-shotgrid-schema}"
MIGRATIONS="${MIGRATIONS:-migrations}"
AUTHOR="shotgrid-schema@noreply.invalid"
export GIT_AUTHOR_NAME="ShotGrid schema" GIT_AUTHOR_EMAIL="$AUTHOR"
export GIT_COMMITTER_NAME="ShotGrid schema" GIT_COMMITTER_EMAIL="$AUTHOR"
work="$(mktemp -d)"
remote=origin

# --- the forge

api() { # method, path below the project, arguments of curl
  curl --fail --silent --header "PRIVATE-TOKEN: $PROJECT_TOKEN" --request "$1" "${@:3}" \
    "$CI_API_V4_URL/projects/$CI_PROJECT_ID/$2"
}

find_request() {
  if [ -n "${GITLAB_CI:-}" ]; then
    api GET "merge_requests?state=opened&source_branch=$BRANCH" |
      python3 -c 'import json, sys; print(next((one["iid"] for one in json.load(sys.stdin)), ""))'
  else
    gh pr list --head "$BRANCH" --state open --json number --jq '.[0].number // empty'
  fi
}

open_request() { # title, file
  if [ -n "${GITLAB_CI:-}" ]; then
    api POST merge_requests --output "$work/answer" --form "source_branch=$BRANCH" --form "target_branch=$BASE" \
      --form "title=$1" --form "description=<$2"
  else
    gh pr create --base "$BASE" --head "$BRANCH" --title "$1" --body-file "$2"
  fi
}

update_request() { # number, title, file
  if [ -n "${GITLAB_CI:-}" ]; then
    api PUT "merge_requests/$1" --output "$work/answer" --form "title=$2" --form "description=<$3"
  else
    gh pr edit "$1" --title "$2" --body-file "$3"
  fi
}

close_request() { # number, why
  if [ -n "${GITLAB_CI:-}" ]; then
    api POST "merge_requests/$1/notes" --output "$work/answer" --form "body=$2"
    api PUT "merge_requests/$1" --output "$work/answer" --form "state_event=close"
  else
    gh pr close "$1" --comment "$2"
  fi
}

# --- the revision

follow() { # writes the snapshot and the revision; 0: something changed, 1: nothing did
  code=0
  sg-migrate revision --format markdown > "$work/written.md" || code=$?
  case "$code" in
    0 | 3 | 4) ;;
    *) exit "$code" ;;
  esac
  [ -n "$(git status --porcelain -- "$MIGRATIONS")" ]
}

save() {
  git add -- "$MIGRATIONS"
  git commit --quiet --message "The site's schema changed"
}

describe() { # the review of every revision that the branch adds
  git diff --relative --name-only --diff-filter=AM -z "$remote/$BASE...HEAD" \
    -- "$MIGRATIONS/versions/*.py" > "$work/revisions"
  if [ -s "$work/revisions" ]; then
    xargs -0 sg-migrate review --format markdown -- < "$work/revisions" > "$work/body.md" || [ -s "$work/body.md" ]
  else
    echo "Only the snapshot changed; no table does." > "$work/body.md"
  fi
}

if [ -n "${GITLAB_CI:-}" ]; then
  remote=forge
  git remote remove forge 2> "$work/answer" || true
  git remote add forge "https://oauth2:$PROJECT_TOKEN@$CI_SERVER_HOST/$CI_PROJECT_PATH.git"
fi
git fetch --quiet "$remote" "+refs/heads/$BASE:refs/remotes/$remote/$BASE"
there="$(git ls-remote "$remote" "refs/heads/$BRANCH" | cut -f 1)"
number="$(find_request)"
others=""
if [ -n "$there" ]; then
  git fetch --quiet "$remote" "+refs/heads/$BRANCH:refs/remotes/$remote/$BRANCH"
  others="$(git log --format=%ae "$remote/$BASE..$there" | grep -vxF "$AUTHOR" || true)"
fi

git switch --quiet --detach "$remote/$BASE"
if ! follow; then
  if [ -n "$number" ]; then
    close_request "$number" "The site is again as the main branch has it: it took the change back."
  fi
  echo "Nothing changed on the site."
  exit 0
fi

if [ -n "$there" ] && { [ -n "$number" ] || [ -n "$others" ]; }; then
  # Is what the branch has all that there is to do?
  git stash push --quiet --include-untracked -- "$MIGRATIONS"
  git switch --quiet --detach "$there"
  moved="$(git diff --name-only "$there...$remote/$BASE" -- "$MIGRATIONS")"
  if [ -n "$others" ]; then
    if [ -n "$moved" ] && ! git merge --quiet --no-edit "$remote/$BASE"; then
      echo "$BRANCH holds a person's commits and does not merge with $BASE: merge it by hand." >&2
      exit 1
    fi
    if follow; then save; fi
  elif [ -n "$moved" ] || follow; then
    git reset --quiet --hard
    git clean --quiet --force -d -- "$MIGRATIONS"
    git switch --quiet --detach "$remote/$BASE"
    git stash pop --quiet
    save
  fi
else
  save
fi

if [ "$(git rev-parse HEAD)" != "$there" ]; then
  if [ -n "$others" ]; then
    git push --quiet "$remote" "HEAD:refs/heads/$BRANCH"
  else # it refuses where somebody has pushed since it was looked at
    git push --quiet --force-with-lease="$BRANCH:$there" "$remote" "HEAD:refs/heads/$BRANCH"
  fi
fi
describe
if [ -n "$number" ]; then
  update_request "$number" "The site's schema changed" "$work/body.md"
else
  open_request "The site's schema changed" "$work/body.md"
fi
