# shellcheck shell=bash
# What goes wrong around it: journal, disk, memory, broker, power, clock. Sourced by ../service.

step_journald() {
    run 'systemctl restart systemd-journald'
    fresh 30
    run 'systemctl reload sensorpost'
    said 30 '^reload'
    verdict "journald was restarted: readings go on, and what comes after it is in the journal"
}
step_disk() {
    run 'fallocate -l $(($(stat -f -c "%a * %S" /))) /var/tmp/full; df / | tail -1'
    said 60 'spool\|disk'
    fresh 30
    sleep 10
    run 'rm /var/tmp/full'
    sleep 20
    active
    fresh 30
    complete full auto
    verdict "disk full for 10 s: $(paste -sd ';' "$journals/gaps")"
}
step_memory() {
    local pid
    pid=$(run 'systemctl show -p MainPID --value sensorpost')
    run 'runuser -u sensorpost -- touch /var/lib/sensorpost/eat'
    said 180 'greedy'
    run "journalctl -u sensorpost --after-cursor '$cursor' -o cat --no-pager | grep greedy" > "$journals/eaten"
    run 'rm /var/lib/sensorpost/eat; journalctl -k --no-pager -n 400 -o cat | grep -i "killed process\|oom-kill" | tail -3 | cut -c1-200; systemctl show -p MemoryPeak,MemoryCurrent,MemoryHigh,MemoryMax sensorpost'
    active
    fresh 60
    wait_for 90 "timeout 20 sensorpost read greedy > /dev/null"
    [ "$(run 'systemctl show -p MainPID --value sensorpost')" = "$pid" ] || fail "the gateway itself was killed"
    complete full
    verdict "a driver's process that takes more and more was ended alone, $(grep -q "greedy: lost: read has not" "$journals/eaten" && echo "as hung, since MemoryHigh slows it down" || echo "for its memory"), and started anew; $(paste -sd ';' "$journals/gaps")"
}
step_stop() {
    broker down
    sleep 5
    run 's=$(date +%s%N); systemctl stop sensorpost; e=$(date +%s%N); echo "stopped after $(((e - s) / 1000000)) ms"; systemctl show -p Result,ExecMainStatus sensorpost; systemctl start sensorpost' | tee "$journals/stopped"
    grep -q 'Result=success' "$journals/stopped" || fail "the stop was not clean"
    sleep 5
    broker up
    fresh 60
    complete full auto
    verdict "$(grep stopped "$journals/stopped") while the broker was away; $(paste -sd ';' "$journals/gaps")"
}
step_restarts() {
    local before after
    before=$(run 'ls /var/lib/sensorpost; ls -A /run/sensorpost /tmp | grep -v systemd-private')
    T=600 run 'for i in $(seq 20); do systemctl restart sensorpost || exit 1; done' || fail "a restart"
    active
    fresh 30
    sleep 5
    after=$(run 'ls /var/lib/sensorpost; ls -A /run/sensorpost /tmp | grep -v systemd-private')
    [ "$before" = "$after" ] || fail "leftovers: $before / $after"
    complete full auto
    verdict "20 restarts in a row; nothing is left behind; $(paste -sd ';' "$journals/gaps")"
}
watch() { # what the gateway says that it has accepted, until the power fails; and a file that nobody syncs, to compare
    active # else `read` would open the device itself
    for device in full auto; do
        "$lab" run -u root "PYTHONUNBUFFERED=1 sensorpost read $device -n 1000000 --timeout 1h --json" > "$journals/$step.$device" 2>&1 3>&- &
        own "$!"
    done
    run 'rm -f /root/unsynced; nohup sh -c "while :; do date +%s >> /root/unsynced; sleep 0.2; done" > /dev/null 2>&1 &'
    for device in full auto; do
        for _ in $(seq 60); do if grep -q '"seq"' "$journals/$step.$device"; then continue 2; fi; sleep 1; done
        fail "sensorpost read $device shows nothing"
    done
    sleep 3
}
cut_power() {
    "$lab" power-cut
    cut=$(date +%s)
    "$lab" up --settled "$@"
    hardware
}
proven() { # the promise, after a cut
    tally accepted full "$journals/$step.full" || fail "a reading that was accepted in full is missing"
    tally accepted auto "$journals/$step.auto" || fail "auto lost more than it may"
    complete full
    run 'tr -d "\0" < /root/unsynced | tail -n 1' > "$journals/unsynced" 2> /dev/null || true
    proof="$(tally accepted full "$journals/$step.full"); $(tally accepted auto "$journals/$step.auto"); cut at $cut, a file that was not synced ends at $(grep . "$journals/unsynced" || echo nothing)"
}
step_powercut() {
    broker down
    watch
    sleep 20
    cut_power
    active
    sleep 5
    broker up
    fresh 60
    sleep 15
    run 'sensorpost spool status | head -12'
    proven
    verdict "power cut with the broker away for 20 s: $proof"
}
step_clock() { # a power cut while the broker answers; then a boot in the past, without battery and without time server
    run 'mkdir -p /etc/systemd/timesyncd.conf.d; printf "[Time]\nNTP=10.0.2.2\nFallbackNTP=\nConnectionRetrySec=2\n" > /etc/systemd/timesyncd.conf.d/lab.conf
        systemctl stop systemd-timesyncd; rm -f /var/lib/systemd/timesync/clock; sync'
    watch
    sleep 5
    local start
    start=$(date +%s)
    cut_power --rtc 2000-01-01T00:00:00
    active
    fresh 60
    run 'date; cat /proc/uptime; ls /run/systemd/timesync/synchronized 2>&1; mosquitto_sub --version > /dev/null; systemctl show -p MainPID,NRestarts sensorpost' | tee "$journals/before-step"
    sleep 5
    broker down
    sleep 10
    python3 "$here/timeserver.py" 3>&- &
    local server=$!
    own "$server"
    wait_for 90 'test -e /run/systemd/timesync/synchronized'
    sleep 10
    broker up
    fresh 60
    sleep 70 # longer than the watchdog
    kill "$server" || true
    run 'date; systemctl show -p MainPID,NRestarts sensorpost' | tee "$journals/after-step"
    [ "$(grep PID "$journals/before-step")" = "$(grep PID "$journals/after-step")" ] || fail "it was started again"
    proven
    tally clocks full "$((cut + 1))" "$start" || fail "a reading lies about its time"
    verdict "booted in $(head -1 "$journals/before-step"), stepped while the broker was away: $(tally clocks full "$((cut + 1))" "$start"); no restart; $proof"
}
