# shellcheck shell=bash
# Sourced by deploy.sh, after project.sh: CloudFormation's stacks, by the AWS CLI alone.
: "${root:?}"

# What the names of stacks begin with.
prefix=performance-tester
# Not empty: prints what would be done.
dry_run=

# Most bytes that CloudFormation takes of a template with the call itself.
template_bytes=51200

# Runs the AWS CLI; with --dry-run prints the call instead.
call() {
  if [ -n "$dry_run" ]; then
    printf 'aws'
    printf ' %q' "$@"
    echo
  else
    aws "$@"
  fi
}

# Asks the AWS CLI for text: nothing where there is nothing. Fails as the CLI does, with what it
# said, unless that has PATTERN, which may be empty: then it fails whatever was said.
# Usage: ask PATTERN ARGUMENT...
ask() {
  local pattern=$1 answer error
  shift
  error=$(mktemp)
  if answer=$(aws "$@" --output text 2>"$error"); then
    rm "$error"
    if [ "$answer" != None ]; then printf '%s' "$answer"; fi
  elif [ -n "$pattern" ] && grep -q "$pattern" "$error"; then
    rm "$error"
  else
    cat "$error" >&2
    rm "$error"
    return 1
  fi
}

# Usage: stack_status REGION STACK; prints nothing where there is no such stack
stack_status() {
  ask "does not exist" cloudformation describe-stacks --region "$1" --stack-name "$prefix-$2" \
    --query 'Stacks[0].StackStatus'
}

# A value that a stack puts out, or nothing; what it stands for with --dry-run.
# Usage: stack_output REGION STACK KEY
stack_output() {
  if [ -n "$dry_run" ]; then
    printf '%s' "<$3 of $prefix-$2 in $1>"
  else
    ask "does not exist" cloudformation describe-stacks --region "$1" --stack-name "$prefix-$2" \
      --query "Stacks[0].Outputs[?OutputKey=='$3'].OutputValue | [0]"
  fi
}

# Usage: stack_parameter REGION STACK KEY; prints nothing where there is no such stack
stack_parameter() {
  ask "does not exist" cloudformation describe-stacks --region "$1" --stack-name "$prefix-$2" \
    --query "Stacks[0].Parameters[?ParameterKey=='$3'].ParameterValue | [0]"
}

say() { echo "$1: $prefix-$2 $3"; }

# Waits until nothing is under way in a stack, and sets `status`: empty if it has gone.
# Usage: settle REGION STACK
settle() {
  local before=
  while :; do
    status=$(stack_status "$1" "$2")
    case $status in
      *_IN_PROGRESS) ;;
      *) return ;;
    esac
    # What a change set prepared and nobody carried out stays as it is.
    if [ "$status" = REVIEW_IN_PROGRESS ]; then return; fi
    if [ "$status" != "$before" ]; then say "$1" "$2" "is at $status"; fi
    before=$status
    sleep 5
  done
}

# What went wrong first, then what that brought about.
# Usage: tell_failures REGION STACK
tell_failures() {
  echo "$1: $prefix-$2 is at ${status:-no status}, because of:" >&2
  aws cloudformation describe-stack-events --region "$1" --stack-name "$prefix-$2" --output text \
    --query "reverse(StackEvents[?contains(ResourceStatus, 'FAILED')].[LogicalResourceId, ResourceStatusReason])" |
    tail -n 10 >&2
}

# Has CloudFormation find out what an update would change, tells it, and starts it. Sets `changed`:
# empty where nothing would.
# Usage: change_stack REGION STACK ARGUMENT...
change_stack() {
  local change=(--region "$1" --stack-name "$prefix-$2" --change-set-name "deploy-$(date +%s)-$$")
  local region=$1 stack=$2 state
  shift 2
  state=$(ask "No updates are to be performed" cloudformation create-change-set \
    --change-set-type UPDATE "${change[@]}" "$@" --query Id)
  if [ -z "$state" ]; then
    changed=
    return
  fi
  while :; do
    state=$(ask '' cloudformation describe-change-set "${change[@]}" \
      --query '[Status, StatusReason]')
    case $state in
      CREATE_PENDING* | CREATE_IN_PROGRESS*) sleep 2 ;;
      *) break ;;
    esac
  done
  case $state in
    CREATE_COMPLETE*) ;;
    *"didn't contain changes"* | *"No updates are to be performed"*)
      aws cloudformation delete-change-set "${change[@]}"
      changed=
      return
      ;;
    *) fail "$region: $prefix-$stack cannot be updated: $state" ;;
  esac
  say "$region" "$stack" "is updated:"
  ask '' cloudformation describe-change-set "${change[@]}" \
    --query 'Changes[].ResourceChange.[Action, LogicalResourceId, ResourceType]' |
    sed "s/^/$region:   /"
  echo
  aws cloudformation execute-change-set "${change[@]}"
  changed=yes
}

# Creates a stack, or updates it where there is something to, and waits until it is complete.
# Usage: deploy_stack REGION STACK TEMPLATE [KEY=VALUE]...
deploy_stack() {
  local region=$1 stack=$2 template=$3 pair status=
  local name=(--region "$region" --stack-name "$prefix-$stack") parameters=()
  shift 3
  for pair in "$@"; do
    # In quotes, so that commas belong to the value.
    parameters+=("ParameterKey=${pair%%=*},ParameterValue=\"${pair#*=}\"")
  done
  local content=(--template-body "file://$root/docker/fargate/$template.yaml"
    --capabilities CAPABILITY_IAM --parameters "${parameters[@]}")
  if [ "$(wc -c <"$root/docker/fargate/$template.yaml")" -gt "$template_bytes" ]; then
    fail "docker/fargate/$template.yaml has more than $template_bytes bytes"
  fi
  if [ -n "$dry_run" ]; then
    call cloudformation create-stack "${name[@]}" "${content[@]}"
    return
  fi

  settle "$region" "$stack"
  case $status in
    ROLLBACK_COMPLETE | REVIEW_IN_PROGRESS)
      say "$region" "$stack" "is at $status, so was never complete: deletes it and starts anew"
      delete_stack "$region" "$stack"
      ;;
    ROLLBACK_FAILED | DELETE_FAILED | UPDATE_ROLLBACK_FAILED)
      tell_failures "$region" "$stack"
      fail "$region: $prefix-$stack needs a hand first: delete it, or continue its rollback"
      ;;
  esac
  if [ -z "$status" ]; then
    say "$region" "$stack" "is created"
    aws cloudformation create-stack "${name[@]}" "${content[@]}" >/dev/null
  else
    change_stack "$region" "$stack" "${content[@]}"
    if [ -z "$changed" ]; then
      say "$region" "$stack" "is unchanged"
      return
    fi
  fi
  settle "$region" "$stack"
  case $status in
    CREATE_COMPLETE | UPDATE_COMPLETE) say "$region" "$stack" "is at $status" ;;
    *)
      tell_failures "$region" "$stack"
      fail "$region: $prefix-$stack failed"
      ;;
  esac
}

# Deletes a stack, if it is there, and waits until it has gone. Sets `status`: empty then.
# Usage: delete_stack REGION STACK
delete_stack() {
  local name=(--region "$1" --stack-name "$prefix-$2")
  if [ -n "$dry_run" ]; then
    call cloudformation delete-stack "${name[@]}"
    return
  fi
  settle "$1" "$2"
  if [ -z "$status" ]; then return; fi
  say "$1" "$2" "is deleted"
  aws cloudformation delete-stack "${name[@]}"
  settle "$1" "$2"
  if [ -n "$status" ]; then
    tell_failures "$1" "$2"
    return 1
  fi
  say "$1" "$2" "has gone"
}

# Runs a function for each of these regions: all at once, or one after another with --dry-run, so
# that what it prints stays in order. Fails if one does, once all are done.
# Usage: for_regions FUNCTION [REGION]...
for_regions() {
  local function=$1 region children=() child failed=
  shift
  for region in "$@"; do
    if [ -n "$dry_run" ]; then
      "$function" "$region"
    else
      (set -e && "$function" "$region") &
      children+=($!)
    fi
  done
  for child in ${children[@]+"${children[@]}"}; do
    wait "$child" || failed=yes
  done
  if [ -n "$failed" ]; then fail "not all regions are done: see above; run it again to go on"; fi
}
