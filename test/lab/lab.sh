#!/usr/bin/env bash
# A home, its router and the internet on one Linux machine: three network namespaces, a real miniupnpd, a real NAT.
#
#   computer  192.168.86.250, .251 --- lan0 192.168.86.1   router   203.0.113.1 wan0 --- 203.0.113.99  internet
#             2001:db8:86::250              2001:db8:86::1          2001:db8:ff::1       2001:db8:ff::99
#
# No packet leaves the namespaces. The internet reaches the computer through a port mapping or not at all.
#
#   lab.sh up [KNOB=VALUE...]       bring the lab up
#   lab.sh on HOST COMMAND...       run a command on computer, router or internet
#   lab.sh stop                     pull the router's plug: no goodbye, all mappings gone
#   lab.sh start [KNOB=VALUE...]    plug it in again
#   lab.sh reboot [KNOB=VALUE...]   stop and start
#   lab.sh down                     leave nothing behind
#   lab.sh hold [KNOB=VALUE...]     up, then wait for the end of the standard input, then down
#
# Knobs, kept until they are changed:
#   igd=2                      1: the router calls itself InternetGatewayDevice:1
#   upnp=yes  pcp=yes          no: the router does not speak it (pcp includes NAT-PMP)
#   secure=no                  yes: a computer can open ports for itself only
#   external=11.22.33.44       the address that the router says it has (nobody contacts it; it must look public);
#                              empty: it says what it finds on wan0, which is reserved, so it refuses to map
#   lease=120-86400            the shortest and the longest lease over PCP, in seconds
#   http=5000                  port of the router's descriptions and control URLs
#   uuid=b3e0a0e4-…            of the router's UDN: another router has another one
#   bitrate_down=1000000000  bitrate_up=1000000000  presentation=http://192.168.86.1/
#
# Whoever needs more hosts makes network namespaces NAME+a and NAME+b; `down` removes them too.
# LAB=name gives another lab, beside the one called "lab". Needs root, bash, iproute2, nftables, miniupnpd (nftables).
set -euo pipefail

PATH=$PATH:/usr/sbin:/sbin
lab=${LAB:-lab}
dir=/run/upnp-ts-lab-$lab
computer=$lab-computer router=$lab-router internet=$lab-internet
deadline_s=10

igd=2 upnp=yes pcp=yes secure=no external=11.22.33.44 lease=120-86400 http=5000
bitrate_down=1000000000 bitrate_up=1000000000 presentation=http://192.168.86.1/
uuid=b3e0a0e4-5f3c-4c39-9f0e-2d6b7c3a9a10

fail() {
  echo "lab: $*" >&2
  exit 1
}

wait_until() { # wait_until WHAT COMMAND...: looks again and again, until the deadline
  local what=$1 give_up=$((SECONDS + deadline_s))
  shift
  until "$@"; do
    [ "$SECONDS" -lt "$give_up" ] || fail "waited $deadline_s seconds in vain until $what"
    sleep 0.02
  done
}

check_machine() {
  local program
  [ "$(uname -s)" = Linux ] || fail "needs Linux, for its network namespaces; this is $(uname -s)"
  [ "$(id -u)" = 0 ] || fail 'needs root, to make network namespaces'
  for program in ip nft ss miniupnpd; do
    [ -n "$(type -P "$program")" ] || fail "needs the program $program (Debian: iproute2, nftables, miniupnpd-nftables)"
  done
  [[ $lab =~ ^[a-z0-9-]+$ ]] || fail "a name for a lab is made of a-z, 0-9 and -, not '$lab'"
}

is_up() { [ -d "$dir" ]; }
must_be_up() { is_up || fail "the lab '$lab' is not up"; }

# --- knobs -----------------------------------------------------------------------------------------------------------

turn_knobs() {
  local knob
  for knob in "$@"; do
    case $knob in
      igd=[12] | upnp=yes | upnp=no | pcp=yes | pcp=no | secure=yes | secure=no) ;;
      uuid=* | external=* | lease=*-* | http=* | bitrate_down=* | bitrate_up=* | presentation=*) ;;
      *) fail "there is no knob '$knob'" ;;
    esac
    printf -v "${knob%%=*}" %s "${knob#*=}"
  done
}

remember_knobs() {
  local knob
  for knob in igd upnp pcp secure external lease http uuid bitrate_down bitrate_up presentation; do
    printf '%s=%q\n' "$knob" "${!knob}"
  done > "$dir/knobs"
}

recall_knobs() {
  # shellcheck disable=SC1091
  . "$dir/knobs"
}

# --- hosts and wires -------------------------------------------------------------------------------------------------

make_host() {
  ip netns add "$1"
  # Addresses are ready at once: nobody else is on these wires, so no detection of duplicates.
  ip netns exec "$1" bash -c 'for file in {all,default}/{disable_ipv6,accept_dad}; do
    echo 0 > "/proc/sys/net/ipv6/conf/$file"
  done'
  ip -n "$1" link set lo up
}

plug() { # plug HOST INTERFACE ADDRESS...
  local host=$1 interface=$2 address
  shift 2
  for address in "$@"; do ip -n "$host" addr add "$address" dev "$interface"; done
  ip -n "$host" link set "$interface" up
}

# A veth pair takes a moment until it runs; until then programs do not see the interface.
wires_run() {
  local end
  for end in "$computer eth0" "$router lan0" "$router wan0" "$internet eth0"; do
    [[ $(ip -n "${end% *}" -o link show "${end#* }") == *'state UP'* ]] || return 1
  done
}

build() {
  local host
  for host in "$computer" "$router" "$internet"; do make_host "$host"; done
  ip link add eth0 netns "$computer" type veth peer name lan0 netns "$router"
  ip link add eth0 netns "$internet" type veth peer name wan0 netns "$router"
  plug "$computer" eth0 192.168.86.250/24 192.168.86.251/24 2001:db8:86::250/64
  plug "$router" lan0 192.168.86.1/24 2001:db8:86::1/64
  plug "$router" wan0 203.0.113.1/24 2001:db8:ff::1/64
  plug "$internet" eth0 203.0.113.99/24 2001:db8:ff::99/64
  ip -n "$computer" route add default via 192.168.86.1
  ip -n "$computer" route add default via 2001:db8:86::1
  ip -n "$internet" route add 2001:db8:86::/64 via 2001:db8:ff::1
  ip netns exec "$router" bash -c 'echo 1 > /proc/sys/net/ipv4/ip_forward
    echo 1 > /proc/sys/net/ipv6/conf/all/forwarding'
  wait_until 'the wires run' wires_run
}

# --- the router ------------------------------------------------------------------------------------------------------

# The chains that miniupnpd fills, empty; what they do not accept does not come in.
load_rules() {
  local no_pcp=
  # miniupnpd 2.3.1 without enable_natpmp still listens for PCP over IPv6.
  if [ "$pcp" = no ]; then no_pcp='udp dport 5351 reject'; fi
  ip netns exec "$router" nft -f - << NFT
flush ruleset
table inet filter {
  chain miniupnpd { }
  chain prerouting_miniupnpd { }
  chain postrouting_miniupnpd { }
  chain forward {
    type filter hook forward priority filter; policy drop;
    iifname "lan0" accept
    ct state established,related accept
    jump miniupnpd
  }
  chain input {
    type filter hook input priority filter; policy accept;
    $no_pcp
  }
  chain prerouting {
    type nat hook prerouting priority dstnat; policy accept;
    jump prerouting_miniupnpd
  }
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    oifname "wan0" masquerade
    jump postrouting_miniupnpd
  }
}
NFT
}

write_config() {
  # miniupnpd does not run with nothing to speak: then the rules keep from the computer what it speaks.
  local natpmp=$pcp
  if [ "$upnp" = no ]; then natpmp=yes; fi
  cat > "$dir/miniupnpd.conf" << CONF
ext_ifname=wan0
${external:+ext_ip=$external}
listening_ip=lan0
http_port=$http
enable_upnp=$upnp
enable_natpmp=$natpmp
force_igd_desc_v1=$([ "$igd" = 1 ] && echo yes || echo no)
secure_mode=$secure
system_uptime=no
min_lifetime=${lease%-*}
max_lifetime=${lease#*-}
bitrate_down=$bitrate_down
bitrate_up=$bitrate_up
presentation_url=$presentation
uuid=$uuid
upnp_table_name=filter
upnp_nat_table_name=filter
allow 0-65535 0.0.0.0/0 0-65535
CONF
}

pid=
recall_pid() {
  pid=
  if [ -s "$dir/miniupnpd.pid" ]; then read -r pid < "$dir/miniupnpd.pid"; fi
}

# Not by kill -0: a process that nobody has waited for yet would still count.
router_runs() {
  recall_pid
  [ -n "$pid" ] && [[ " $(ip netns pids "$router" | tr '\n' ' ')" == *" $pid "* ]]
}
router_is_gone() { ! router_runs; }

# miniupnpd answers the first request after it has opened all its sockets, those of SSDP and PCP too.
router_answers() {
  router_runs || return 1
  if [ "$upnp" = yes ]; then
    # shellcheck disable=SC2016
    timeout 1 ip netns exec "$computer" bash -c 'exec 3<> "/dev/tcp/192.168.86.1/$1" &&
      printf "GET /rootDesc.xml HTTP/1.0\r\n\r\n" >&3 && read -r head <&3 && [[ $head == *" 200 "* ]]' - "$http" \
      2> /dev/null
  else
    [[ $(ip netns exec "$router" ss -Hlun 'sport = :5351') == *192.168.86.1:5351* ]]
  fi
}

plug_in() {
  if router_runs; then fail "the router of the lab '$lab' runs already"; fi
  write_config
  load_rules
  rm -f "$dir/miniupnpd.pid"
  ip netns exec "$router" miniupnpd -f "$dir/miniupnpd.conf" -P "$dir/miniupnpd.pid" < /dev/null > "$dir/log" 2>&1 ||
    fail "miniupnpd did not start: $(tr '\n' ' ' < "$dir/log")"
  wait_until 'the router answers' router_answers
  remember_knobs
}

pull_the_plug() {
  if router_runs; then kill -9 "$pid"; fi
  wait_until 'the router is gone' router_is_gone
  rm -f "$dir/miniupnpd.pid"
}

# --- the commands ----------------------------------------------------------------------------------------------------

bring_up() {
  check_machine
  turn_knobs "$@"
  mkdir -m 700 "$dir" 2> /dev/null || fail "the lab '$lab' is up already"
  trap down EXIT # what was begun is undone, whatever goes wrong
  trap 'exit 130' INT TERM HUP
  build
  plug_in
}

up() {
  bring_up "$@"
  trap - EXIT INT TERM HUP
}

start() {
  must_be_up
  recall_knobs
  turn_knobs "$@"
  plug_in
}

stop() {
  must_be_up
  recall_knobs
  pull_the_plug
  load_rules # the mappings are gone while it is off, too
}

reboot() {
  must_be_up
  pull_the_plug
  start "$@"
}

on() {
  local host=${1:-}
  must_be_up
  case $host in computer | router | internet) shift ;; *) fail "there is no host '$host', only computer, router, internet" ;; esac
  exec ip netns exec "$lab-$host" "$@"
}

host_is_empty() {
  local pids
  pids=$(ip netns pids "$1")
  [ -z "$pids" ] && return 0
  # shellcheck disable=SC2086
  kill -9 $pids 2> /dev/null || true
  return 1
}

down() {
  local host
  for host in "$computer" "$router" "$internet" "$lab+"{a,b}; do
    [ -e "/var/run/netns/$host" ] || continue
    wait_until "the processes on $host are gone" host_is_empty "$host"
    ip netns del "$host"
  done
  rm -rf "$dir"
}

hold() {
  bring_up "$@" < /dev/null
  echo "the lab '$lab' is up"
  while read -r _; do :; done
}

case ${1:-} in
  up | start | stop | reboot | on | down | hold) "$@" ;;
  *)
    sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"
    exit 2
    ;;
esac
