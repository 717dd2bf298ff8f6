# shellcheck shell=bash
# Sourced by deploy.sh, after project.sh: brings the mesh up, region by region.

# shellcheck source=scripts/stacks.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/stacks.sh"

# What deploy.sh's options say.
regions=()
tag=
accelerated=false
architecture=ARM64
allow=0.0.0.0/0
transport=tcp
interval=3500ms-4500ms
with_clients=yes
with_records=yes
replicate=yes
principal=
# What follows from them: the first region, the others, and whose account they are in.
home=
others=()
account=
database=

# Views that others read stand before them.
views=(hops paths figures_by_key loss_by_key routes_compared summaries)
# Copies of an image take minutes to arrive.
copy_seconds=900

# A registry has one set of replication rules, and one of scanning: those that others made stay.
check_registry() {
  if [ -n "$dry_run" ] || [ -z "$replicate" ] || [ "${#others[@]}" -eq 0 ]; then return; fi
  local rules replicas
  # Once the stack replicates, the rules are its own.
  replicas=$(stack_parameter "$home" ecr ReplicaRegions)
  case $replicas in '' | none) ;; *) return ;; esac
  rules=$(ask '' ecr describe-registry --region "$home" \
    --query 'length(replicationConfiguration.rules)')
  if [ "${rules:-0}" -gt 0 ]; then
    fail "$home: the registry has replication rules of its own, which would be replaced: add $prefix/ to them, and give --no-replication"
  fi
}

deploy_ecr() {
  local replicas=none scan=true rules
  if [ "$1" = "$home" ]; then
    if [ -n "$replicate" ] && [ "${#others[@]}" -gt 0 ]; then
      replicas=$(IFS=, && echo "${others[*]}")
    fi
  elif [ -z "$dry_run" ]; then
    scan=$(stack_parameter "$1" ecr ScanReplicas)
    if [ -z "$scan" ]; then
      scan=true
      rules=$(ask '' ecr get-registry-scanning-configuration --region "$1" \
        --query "to_string(length(scanningConfiguration.rules))")
      if [ "$rules" != 0 ]; then
        scan=false
        say "$1" ecr "leaves scanning as the registry has it"
      fi
    fi
  fi
  deploy_stack "$1" ecr ecr "HomeRegion=$home" "Prefix=$prefix" "ReplicaRegions=$replicas" \
    "ScanReplicas=$scan"
}

has_image() {
  [ -n "$(ask 'NotFound' ecr describe-images --region "$1" --repository-name "$prefix/$2" \
    --image-ids "imageTag=$tag" --query 'imageDetails[0].imageDigest')" ]
}

# Usage: check_images REGION; waits for copies
check_images() {
  local name deadline=$((SECONDS + copy_seconds)) told=
  if [ -n "$dry_run" ]; then return; fi
  for name in server ${with_clients:+client}; do
    until has_image "$1" "$name"; do
      if [ "$1" = "$home" ]; then
        fail "$1: there is no image $name:$tag: push it to $account.dkr.ecr.$1.amazonaws.com/$prefix/$name:$tag (docker/fargate/README.md shows how), and run this again"
      fi
      if [ -z "$replicate" ] || [ "$SECONDS" -ge "$deadline" ]; then
        fail "$1: there is no copy of $name:$tag: ECR copies what is pushed once a region is there; push under a new tag"
      fi
      if [ -z "$told" ]; then echo "$1: waits for the copy of $name:$tag"; fi
      told=yes
      sleep 10
    done
  done
}

# Interface endpoints are not in all zones: takes two that have that of Firehose, the rarest.
deploy_network() {
  local first='' second='' zones list='' status
  if [ -z "$dry_run" ]; then
    zones=$(ask '' ec2 describe-vpc-endpoint-services --region "$1" \
      --service-names "com.amazonaws.$1.kinesis-firehose" \
      --query 'ServiceDetails[0].sort(AvailabilityZones)[:2]')
    read -r first second <<<"$zones"
    list=$(ask '' ec2 describe-managed-prefix-lists --region "$1" \
      --filters "Name=prefix-list-name,Values=com.amazonaws.$1.s3" \
      --query 'PrefixLists[0].PrefixListId')
    # Subnets cannot move: those that are there stay where they are.
    status=$(stack_status "$1" network)
    if [ -n "$status" ]; then
      first=$(stack_parameter "$1" network FirstZone)
      second=$(stack_parameter "$1" network SecondZone)
    fi
  fi
  deploy_stack "$1" network network "RepositoryPrefix=$prefix" "AllowedCidr=$allow" \
    "FirstZone=$first" "SecondZone=$second" "S3PrefixList=$list"
}

# Usage: deploy_records REGION [HOME-BUCKET]
deploy_records() {
  deploy_stack "$1" analytics analytics "HomeBucket=${bucket:-}" "StreamName=$prefix" \
    "Database=$database"
}

# Has Athena make the views, one after another.
make_views() {
  local view id state workgroup
  workgroup=$(stack_output "$home" analytics WorkGroup)
  for view in "${views[@]}"; do
    local query=(athena start-query-execution --region "$home" --work-group "$workgroup"
      --query-execution-context "Database=$database"
      --query-string "$(sed '/^ *--/d' "$root/docker/fargate/athena/$view.sql")")
    if [ -n "$dry_run" ]; then
      call "${query[@]}"
      continue
    fi
    id=$(ask '' "${query[@]}" --query QueryExecutionId)
    while :; do
      state=$(ask '' athena get-query-execution --region "$home" --query-execution-id "$id" \
        --query 'QueryExecution.Status.[State, StateChangeReason]')
      case $state in
        QUEUED* | RUNNING*) sleep 1 ;;
        SUCCEEDED*) break ;;
        *) fail "$home: Athena could not make the view $view: $state" ;;
      esac
    done
  done
  if [ -z "$dry_run" ]; then echo "$home: Athena has the views ${views[*]}"; fi
}

deploy_server() {
  deploy_stack "$1" server server "NetworkStack=$prefix-network" "ImageTag=$tag" \
    "RepositoryPrefix=$prefix" "Architecture=$architecture" "Accelerated=$accelerated" \
    "Stream=${with_records:+$prefix}"
}

# Sets `servers`: all routes of a client, the direct and the accelerated one to each server.
collect_servers() {
  local region direct fast
  servers=
  for region in "${regions[@]}"; do
    direct=$(stack_output "$region" server DirectEndpoint)
    servers+=,direct-$region=$direct
    if [ "$accelerated" = true ]; then
      fast=$(stack_output "$region" server AcceleratedEndpoint)
      servers+=,accelerated-$region=$fast
    fi
  done
  servers=${servers#,}
}

deploy_clients() {
  deploy_stack "$1" clients clients "NetworkStack=$prefix-network" "ImageTag=$tag" \
    "RepositoryPrefix=$prefix" "Architecture=$architecture" "Servers=$servers" \
    "Transport=$transport" "Interval=$interval" "Stream=${with_records:+$prefix}"
}

up() {
  bucket=
  check_registry
  for_regions deploy_ecr "${regions[@]}"
  check_images "$home"
  for_regions check_images ${others[@]+"${others[@]}"}
  for_regions deploy_network "${regions[@]}"
  if [ -n "$with_records" ]; then
    deploy_records "$home"
    make_views
    bucket=$(stack_output "$home" analytics BucketName)
    for_regions deploy_records ${others[@]+"${others[@]}"}
  fi
  for_regions deploy_server "${regions[@]}"
  if [ -n "$with_clients" ]; then
    collect_servers
    for_regions deploy_clients "${regions[@]}"
  fi
  if [ -n "$principal" ]; then
    deploy_stack "$home" dashboard dashboard "Principal=$principal" "Database=$database" \
      "WorkGroup=$(stack_output "$home" analytics WorkGroup)"
  fi
  if [ -z "$dry_run" ]; then show_endpoints; fi
}
