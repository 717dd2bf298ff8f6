#!/usr/bin/env bash
set -euo pipefail
# shellcheck source=scripts/project.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/project.sh"
# shellcheck source=scripts/mesh-up.sh
. "$root/scripts/mesh-up.sh"
help_on "${1:-}" \
  "Deploys the mesh to AWS: a server and clients in each region, images and records in the first. Needs the AWS CLI." \
  "Usage: scripts/deploy.sh up|status|down --regions REGION[,REGION]... [OPTION]...

  up      creates what is missing, updates what differs, and prints the endpoints
  status  shows the stacks, the tasks that run, and the endpoints
  down    deletes servers, clients and networks; images and records stay

  --regions REGION,…     the first is the home region: images are pushed to it, records gather in it
  --prefix NAME          what all names begin with (performance-tester)
  --dry-run              prints all calls that would change something on a first deployment
up:
  --tag TAG              tag of the images that were pushed
  --accelerated          puts a Global Accelerator in front of each server, as a second route
  --architecture NAME    ARM64 (default) or X86_64
  --allow CIDR           where clients may come from (0.0.0.0/0)
  --transport tcp|udp    what clients' messages go over (tcp); servers take both
  --interval MIN[-MAX]   between two messages of a client (3500ms-4500ms)
  --no-clients           servers only
  --no-records           neither Firehose nor Athena
  --no-replication       leaves the registries' replication alone
  --quicksight ARN       user or group of QuickSight that gets the dashboard
down:
  --everything           deletes images and records as well
  --yes                  does not ask

  scripts/deploy.sh up --tag 1.0.0 --accelerated --regions \\
    eu-west-1,af-south-1,sa-east-1,ap-east-1,me-south-1,eu-central-1,us-west-1"

everything=
sure=

wrong() { fail "$1; -h shows help" 2; }

read_options() {
  [ "$#" -gt 0 ] || wrong "up, status or down is missing"
  command=$1
  shift
  case $command in up | status | down) ;; *) wrong "no such argument: $command" ;; esac
  while [ "$#" -gt 0 ]; do
    case $1 in
      --regions | --prefix | --tag | --architecture | --allow | --transport | --interval | --quicksight)
        [ -n "${2:-}" ] || wrong "$1 has no value"
        ;;
    esac
    case $1 in
      --regions) IFS=, read -r -a regions <<<"$2" ;;
      --prefix) prefix=$2 ;;
      --tag) tag=$2 ;;
      --architecture) architecture=$2 ;;
      --allow) allow=$2 ;;
      --transport) transport=$2 ;;
      --interval) interval=$2 ;;
      --quicksight) principal=$2 ;;
      --accelerated) accelerated=true ;;
      --no-clients) with_clients= ;;
      --no-records) with_records= ;;
      --no-replication) replicate= ;;
      --everything) everything=yes ;;
      --yes) sure=yes ;;
      --dry-run) dry_run=yes ;;
      -h | --help) exec "$0" -h ;;
      *) wrong "no such argument: $1" ;;
    esac
    case $1 in
      --regions | --prefix | --tag | --architecture | --allow | --transport | --interval | --quicksight) shift ;;
    esac
    shift
  done
}

check_options() {
  local region seen=,
  [ "${#regions[@]}" -gt 0 ] || wrong "--regions is missing"
  [ "${#regions[@]}" -le 11 ] || wrong "ECR's template copies images to ten further regions at most"
  for region in "${regions[@]}"; do
    [[ $region =~ ^[a-z]{2}(-[a-z]+)+-[0-9]$ ]] || wrong "no region's name: '$region'"
    [[ $seen != *,$region,* ]] || wrong "$region stands there twice"
    seen+=$region,
  done
  [[ ${#prefix} -le 40 && $prefix =~ ^[a-z][a-z0-9]*(-[a-z0-9]+)*$ ]] ||
    wrong "--prefix is small letters and digits, with dashes between, 40 at most: not '$prefix'"
  database=${prefix//-/_}
  case $architecture in ARM64 | X86_64) ;; *) wrong "--architecture is ARM64 or X86_64: not '$architecture'" ;; esac
  case $transport in tcp | udp) ;; *) wrong "--transport is tcp or udp: not '$transport'" ;; esac
  if [ "$command" = up ] && [ -z "$tag" ]; then wrong "--tag is missing: which images?"; fi
  if [ -n "$principal" ] && [ -z "$with_records" ]; then wrong "--quicksight shows what --no-records leaves out"; fi
  home=${regions[0]}
  others=("${regions[@]:1}")
  if [ -n "$dry_run" ]; then return; fi
  command -v aws >/dev/null || fail "the AWS CLI is needed, as aws"
  export AWS_PAGER=
  account=$(ask '' sts get-caller-identity --region "$home" --query Account) ||
    fail "the AWS CLI has no valid credentials: see above"
}

show_endpoints() {
  local region direct fast
  echo
  printf '%-16s %-12s %s\n' REGION ROUTE ADDRESS
  for region in "${regions[@]}"; do
    direct=$(stack_output "$region" server DirectEndpoint)
    fast=$(stack_output "$region" server AcceleratedEndpoint)
    printf '%-16s %-12s %s\n' "$region" direct "${direct:--}"
    if [ -n "$fast" ]; then printf '%-16s %-12s %s\n' "$region" accelerated "$fast"; fi
  done
}

# Usage: tasks REGION STACK SERVICE; prints RUNNING/DESIRED
tasks() {
  ask 'ClusterNotFound' ecs describe-services --region "$1" --cluster "$prefix-$2" --services "$3" \
    --query "services[0].join('/', [to_string(runningCount), to_string(desiredCount)])"
}

show_status() {
  local region stack state stacks
  printf '%-16s %-12s %-26s %s\n' REGION STACK STATUS TASKS
  for region in "${regions[@]}"; do
    stacks=$(ask '' cloudformation describe-stacks --region "$region" \
      --query "Stacks[?starts_with(StackName, '$prefix-')].[StackName, StackStatus]")
    for stack in ecr network analytics server clients dashboard; do
      if [ "$stack" = dashboard ] && [ "$region" != "$home" ]; then continue; fi
      state=$(awk -v stack="$prefix-$stack" '$1 == stack { print $2 }' <<<"$stacks")
      case ${state:+$stack} in
        server) state=$(printf '%-26s %s' "$state" "$(tasks "$region" server server)") ;;
        clients) state=$(printf '%-26s %s' "$state" "$(tasks "$region" clients clients)") ;;
      esac
      printf '%-16s %-12s %s\n' "$region" "$stack" "${state:--}"
    done
  done
  show_endpoints
}

# An accelerator leaves a security group behind, which keeps its network from being deleted.
delete_network() {
  local vpc group
  if [ -z "$dry_run" ]; then
    vpc=$(stack_output "$1" network Vpc)
    if [ -n "$vpc" ]; then
      group=$(ask '' ec2 describe-security-groups --region "$1" \
        --filters "Name=vpc-id,Values=$vpc" Name=group-name,Values=GlobalAccelerator \
        --query 'SecurityGroups[0].GroupId')
      if [ -n "$group" ]; then aws ec2 delete-security-group --region "$1" --group-id "$group"; fi
    fi
  fi
  delete_stack "$1" network
}

delete_clients() { delete_stack "$1" clients; }
delete_server() { delete_stack "$1" server; }

# Deletes all versions of all objects. Usage: empty_bucket REGION BUCKET
empty_bucket() {
  local batch
  while :; do
    batch=$(aws s3api list-object-versions --region "$1" --bucket "$2" --max-keys 1000 \
      --no-paginate --output json \
      --query "{Objects: [Versions, DeleteMarkers][][].{Key: Key, VersionId: VersionId}, Quiet: \`true\`}")
    case $batch in *'"Key"'*) ;; *) return ;; esac
    aws s3api delete-objects --region "$1" --bucket "$2" --delete "$batch" >/dev/null
  done
}

delete_records() {
  local bucket
  if [ -n "$dry_run" ]; then
    delete_stack "$1" analytics
    return
  fi
  bucket=$(stack_output "$1" analytics BucketName)
  if [ -n "$bucket" ]; then empty_bucket "$1" "$bucket"; fi
  # What the stream still held may have arrived meanwhile.
  if ! delete_stack "$1" analytics; then
    empty_bucket "$1" "$bucket"
    delete_stack "$1" analytics
  fi
}

# Copies of images are in repositories that ECR made, and that are in no stack.
delete_images() {
  local name
  if [ "$1" != "$home" ]; then
    for name in server client; do
      local delete=(ecr delete-repository --region "$1" --repository-name "$prefix/$name" --force)
      if [ -n "$dry_run" ]; then call "${delete[@]}"; else ask RepositoryNotFound "${delete[@]}" >/dev/null; fi
    done
  fi
  delete_stack "$1" ecr
}

confirm() {
  local what="servers, clients and networks" answer=
  if [ -n "$everything" ]; then what+=", all images and all records"; fi
  if [ -n "$sure" ] || [ -n "$dry_run" ]; then return; fi
  printf 'Delete %s of %s in %s (account %s)? [y/N] ' "$what" "$prefix" "${regions[*]}" "$account"
  read -r answer || true
  case $answer in y | Y | yes) ;; *) fail "nothing is deleted" ;; esac
}

down() {
  confirm
  for_regions delete_clients "${regions[@]}"
  for_regions delete_server "${regions[@]}"
  for_regions delete_network "${regions[@]}"
  if [ -n "$everything" ]; then
    delete_stack "$home" dashboard
    for_regions delete_records ${others[@]+"${others[@]}"} "$home"
    for_regions delete_images "${regions[@]}"
  fi
}

read_options "$@"
check_options
case $command in
  up) up ;;
  status) show_status ;;
  down) down ;;
esac
