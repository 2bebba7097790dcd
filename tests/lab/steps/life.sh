# shellcheck shell=bash
# Install, configure, kill, upgrade, remove. Sourced by ../service.

put() { # the checkout as it is, without what git ignores
    local tar
    tar=$(mktemp)
    (cd "$here/../.." && git ls-files -z -co --exclude-standard | tar --null -T - --transform 's,^,sensorpost/,' -czf "$tar")
    "$lab" put -u root "$tar" /root/sensorpost.tar.gz
    rm "$tar"
    run 'cd /root && tar xzf sensorpost.tar.gz --no-same-owner'
}
hardware() { # what is on the buses of the virtual Pi: gone when it starts anew
    run 'cd /sys/devices/platform/labpi/sim
        for line in "add 0x76 regs8" "set 0x76 0xd0 60" "set 0x76 0xf3 00" "set 0x76 0xe1 6a01001329031e" \
            "set 0x76 0x88 706b436718fc7d8e43d6d00b270b8c00f9ff8c3cf8c67017004b" "set 0x76 0xf7 655ac07eed007530" \
            "add 0x48 regs16" "set 0x48 0 1980"; do printf %s "$line" > i2c; done
        printf %s "0 mcp3008 0 512" > spi
        printf %s "add 0000000001ab 21625" > w1
        echo lm75 0x48 > /sys/bus/i2c/devices/i2c-1/new_device' 2>&1 || true
}

step_install() {
    put
    run 'mkdir -p /root/first/drivers'
    "$lab" put -u root "$here/first.toml" /root/first/
    "$lab" put -u root "$here/hog.py" "$here/greedy.py" "$here/adc.py" /root/first/drivers/
    T=1200 run 'cd /root/sensorpost && ./sensorpost service -c /root/first/first.toml install' || fail "the installer"
    active
    run 'systemctl status sensorpost --no-pager | head -14; id sensorpost; systemd-analyze security sensorpost --no-pager | tail -1'
    T=300 run 'cd /root/sensorpost && ./sensorpost service install' | tee "$journals/again"
    grep -q "nothing to do" "$journals/again" || fail "a second time there is something to do"
    verdict "installed, ready, nothing to do a second time; $(run 'systemd-analyze security sensorpost --no-pager | tail -1 | tr -d "→"')"
}
step_configure() {
    hardware
    sed "s/@PORT@/$port/" "$here/service.toml" > "$journals/service.toml"
    "$lab" put -u root "$journals/service.toml" /root/
    run 'cat /root/service.toml > /etc/sensorpost/sensorpost.toml; sensorpost check && systemctl restart sensorpost'
    active
    fresh 60 hog
    fresh 60
    verdict "eleven devices, three with a driver of one's own"
}
step_kill() {
    local before
    before=$(restarts)
    run 'kill -9 "$(systemctl show -p MainPID --value sensorpost)"'
    wait_for 60 "test \"\$(systemctl show -p NRestarts --value sensorpost)\" -gt $before"
    active
    fresh 30
    complete full
    verdict "kill -9: started again; $(paste -sd ';' "$journals/gaps")"
}
step_watchdog() {
    local before
    before=$(restarts)
    run 'runuser -u sensorpost -- touch /var/lib/sensorpost/go'
    T=240 wait_for 180 "test \"\$(systemctl show -p NRestarts --value sensorpost)\" -gt $before"
    active
    fresh 30
    sleep 3
    run "journalctl -u sensorpost --after-cursor '$cursor' --no-pager -o cat -p err" > "$journals/stacks"
    grep -q "Fatal Python error: Aborted" "$journals/stacks" || fail "no stacks"
    grep -q "hog.py" "$journals/stacks" || fail "the stacks do not show who it was"
    complete full
    verdict "SIGABRT, $(grep -c '^Thread\|^Current thread' "$journals/stacks") stacks in the journal, hog.py among them, started again; $(paste -sd ';' "$journals/gaps")"
}
step_reload() {
    run 'sed -i "s/^interval = \"3s\"/interval = \"2s\"/" /etc/sensorpost/sensorpost.toml; systemctl reload sensorpost' || fail "the reload"
    said 1 '^reloaded: '
    run 'cp -p /etc/sensorpost/sensorpost.toml /tmp/good; echo nonsense >> /etc/sensorpost/sensorpost.toml'
    if run 'systemctl reload sensorpost'; then fail "systemctl does not say that the file has a mistake"; fi
    said 1 'nothing was changed'
    run 'cat /tmp/good > /etc/sensorpost/sensorpost.toml'
    active
    verdict "systemctl waits for it; a file with a mistake fails and changes nothing"
}
step_upgrade() {
    put
    run 'cd /root/sensorpost && echo "# newer" >> gateway/units.py'
    local before
    before=$(run 'readlink /opt/sensorpost/venv')
    T=1200 run 'cd /root/sensorpost && ./sensorpost service install' || fail "the installer"
    active
    [ "$(run 'readlink /opt/sensorpost/venv')" != "$before" ] || fail "still the same version"
    run 'ls -l /opt/sensorpost | cut -c1-80; sensorpost service status'
    fresh 30
    complete full
    verdict "another version runs; $(paste -sd ';' "$journals/gaps")"
}
step_rollback() {
    local before
    before=$(run 'readlink /opt/sensorpost/venv')
    run 'cd /root/sensorpost && sed -i "s/^log = logging.getLogger(__name__)/raise SystemExit(\"broken on purpose\")/" gateway/app.py'
    if T=1200 run 'cd /root/sensorpost && ./sensorpost service install'; then fail "a broken version was installed"; fi
    active
    [ "$(run 'readlink /opt/sensorpost/venv')" = "$before" ] || fail "not gone back"
    fresh 30
    complete full
    verdict "the version that did not become ready was refused, the one before runs; $(paste -sd ';' "$journals/gaps")"
}
step_ledger() { # all runs of this trial, and what the gateway itself says of what we heard
    run "systemctl stop sensorpost"
    complete full system door office adc
    python3 "$here/tally.py" "$journals/heard" lines full > "$journals/full.jsonl"
    "$lab" put -u root "$journals/full.jsonl" /tmp/
    run 'sensorpost audit full --input /tmp/full.jsonl' | tee "$journals/audit" || fail "the audit"
    run "systemctl start sensorpost"
    verdict "$(head -1 "$journals/gaps"); sensorpost audit: $(grep '^full' "$journals/audit" | tr -s ' ')"
}
step_uninstall() {
    run 'sensorpost service uninstall' || fail "uninstall"
    run 'ls -d /etc/sensorpost /var/lib/sensorpost/*' || fail "data are gone"
    T=300 run 'cd /root/sensorpost && git --version > /dev/null 2>&1; ./sensorpost service uninstall --purge 2>&1 | tail -12'
    local left
    left=$(run 'find / -xdev -name "*sensorpost*" -not -path "/root/*" -not -path "/tmp/*" -not -path "/proc/*" -not -path "/var/log/*" -not -path "/sys/*"
        getent passwd sensorpost; getent group sensorpost; systemctl list-unit-files --no-legend "sensorpost*"; true')
    [ -z "$left" ] || fail "left: $left"
    verdict "data stayed; after --purge no file, no user and no unit is left"
}
