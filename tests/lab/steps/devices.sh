# shellcheck shell=bash
# Devices inside the unit's hardening, and adapters that come late. Sourced by ../service.

play() { # what the adapter that is plugged in as $1 sends; until the end of this step
    python3 "$(dirname "$lab")/hostserial.py" "${LAB_WORK:-$(dirname "$lab")/work}/run/$1" --seconds 300 --every 1 '21.5\r\n' > /dev/null 2>&1 3>&- &
    player=$!
    own "$player"
}
wants() { # DEVICE TEXT: what is read has it
    here_now 60 "$1" | tee -a "$journals/values" | grep -q -e "$2" || fail "$1: not $2"
}

step_devices() {
    : > "$journals/values"
    "$lab" hw gpio '17 1'
    sleep 2
    wants office '"temperature":25.08[0-9]*,"pressure":1006.5[0-9]*,"humidity":5[45]'
    wants boiler '"temperature":21.6'
    wants board '"temperature":25.5'
    wants adc '"level":512'
    mosquitto_sub -p "$port" -C 1 -W 20 -t 'sensorpost/+/door' | tee -a "$journals/values" | grep -q true || fail "door"
    run 'pid=$(systemctl show -p MainPID --value sensorpost); grep -E "^(Uid|Groups|NoNewPrivs|Seccomp):" /proc/$pid/status
        ls -l /proc/$pid/fd | grep -o "/dev/.*" | sort | uniq -c; systemd-analyze security sensorpost --no-pager | tail -1'
    verdict "I2C (bme280), 1-Wire, hwmon (lm75), SPI and GPIO are read by the unit's user inside its hardening"
}
step_plug() {
    "$lab" plug serial --serial A1 --name usb0
    play usb0
    fresh 90 usb
    run 'ls -l /dev/sensorpost/ /dev/ttyUSB0'
    kill "$player" || true
    "$lab" unplug serial
    said 60 'usb: lost'
    "$lab" plug serial --serial A1 --name usb0
    play usb0
    said 60 'usb: back'
    fresh 60 usb
    kill "$player" || true
    "$lab" unplug serial
    said 60 'usb: lost'
    verdict "an adapter plugged in is read under a stable name, lost when it goes, and back when it comes again"
}
step_latedriver() { # DeviceAllow=char-ttyUSB is resolved when the unit starts
    run 'systemctl stop sensorpost; lsmod | grep usbserial; for m in ftdi_sio pl2303 cp210x ch341 usbserial; do rmmod $m 2> /dev/null; done; lsmod | grep usbserial; systemctl start sensorpost'
    "$lab" plug serial --serial A1 --name usb1
    play usb1
    sleep 20
    run "ls -l /dev/ttyUSB0; journalctl -u sensorpost --after-cursor '$cursor' -o cat --no-pager | grep usb" | tee "$journals/trap"
    grep -q 'still lost: no permission' "$journals/trap" || fail "the journal does not say that it is refused"
    if here_now 5 usb; then fail "it is read, although the kernel did not know the kind when the unit started"; fi
    run 'systemctl restart systemd-modules-load && systemctl restart sensorpost'
    fresh 60 usb
    kill "$player" || true
    "$lab" unplug serial --name usb1
    said 60 'usb: lost'
    verdict "kind unknown at start: refused, and told so ($(grep -m1 -o 'still lost:.*' "$journals/trap" | cut -c1-60)); with modules-load read at once"
}
