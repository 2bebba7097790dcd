"""gateway/config/load.py: good configurations and what they become."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from support.workshop import DEVICE, Workshop

from gateway.catalog import Catalog
from gateway.config.errors import ConfigErrors
from gateway.config.identity import Host
from gateway.config.load import find, load, loads
from gateway.config.settings import Endpoint, Secret
from gateway.driver import Kind


def test_the_least(workshop: Workshop) -> None:
    """A device and nothing else: every default of the contract."""
    settings = workshop.load(DEVICE)
    assert settings.gateway_id == "attic"
    assert settings.clock == "auto"
    mqtt = settings.mqtt
    assert mqtt.endpoints == (Endpoint("mqtt", "localhost", 1883),)
    assert (mqtt.protocol, mqtt.client_id, mqtt.base_topic) == ("auto", "sensorpost-attic", "sensorpost")
    assert (mqtt.keepalive, mqtt.window, mqtt.live_window, mqtt.replay) == (15.0, 1000, 10.0, "history")
    assert (mqtt.username, mqtt.password, mqtt.ca_file) == (None, None, None)
    assert (settings.log.level, settings.log.format) == ("info", "text")
    (device,) = settings.devices
    assert (device.device, device.name, device.driver, device.kind) == ("a", "a", "meter", Kind.SAMPLED)
    assert (device.interval, device.timeout, device.open_timeout) == (10.0, 3.0, 10.0)
    assert (device.align, device.offset, device.enabled, device.retain) == (False, 0.0, True, True)
    assert (device.max_rate, device.batch, device.area, device.tags) == (2000.0, 0.0, None, {})
    assert [channel.key for channel in device.channels] == ["temperature", "humidity", "count", "ok", "label"]
    assert settings.warnings == ()
    assert len(settings.config_hash) == 12


def test_everything(workshop: Workshop) -> None:
    """Every key of a device and of a channel arrives, in seconds and bytes."""
    settings = workshop.load(
        """
        [gateway]
        id = "Attic_pi-2"
        clock = "trusted"
        [mqtt]
        urls = ["mqtts://a.example", "wss://[::1]/ws", "ws://10.0.0.1:8080"]
        base_topic = "home/sensors"
        client_id = "me"
        protocol = "3.1.1"
        [devices."Büro 1"]
        driver = "meter"
        name = "Office"
        area = "First floor"
        tags = { site = "7" }
        interval = "1h30m"
        align = true
        offset = "2s"
        timeout = "1.5s"
        retain = false
        batch = "1m"
        max_rate = 5
        address = 0x77
        gain = 2
        mode = "slow"
        rate = 10
        warm_up = "500ms"
        buffer = "64KiB"
        pins = [1, 2]
        pair = [3, "x"]
        ranges = { a = { low = 1 } }
        value = true
        for = "ever"
        [[devices."Büro 1".steps]]
        low = -1.5
        [devices."Büro 1".channels.temperature]
        key = "t"
        unit = "°F"
        min = -50
        max = 30
        deadband = 0.1
        heartbeat = "1m"
        """
    )
    assert [endpoint.url for endpoint in settings.mqtt.endpoints] == [
        "mqtts://a.example:8883",
        "wss://[::1]:443/ws",
        "ws://10.0.0.1:8080/mqtt",
    ]
    (device,) = settings.devices
    assert (device.interval, device.offset, device.timeout, device.batch) == (5400.0, 2.0, 1.5, 60.0)
    options = device.options
    assert (options.address, options.gain, options.mode, options.rate) == (0x77, 2.0, "slow", 10)
    assert type(options.gain) is float
    assert (options.warm_up, options.buffer, options.pins, options.pair) == (0.5, 65536, (1, 2), (3, "x"))
    assert options.ranges["a"].low == 1.0
    assert options.steps[0].low == -1.5
    assert options.value is True
    assert options.end == "ever"
    channel = device.channels[0]
    assert (channel.key, channel.name, channel.unit, channel.deadband, channel.heartbeat) == ("t", "t", "°F", 0.1, 60)
    assert (channel.min, channel.max) == (-40, 30), "the driver's own range stays"


def test_order_of_precedence(workshop: Workshop) -> None:
    """A device's own value, then the defaults', then the driver's."""
    settings = workshop.load(
        '[defaults]\ninterval = "2s"\nretain = false\narea = "Attic"\n'
        '[devices.a]\ndriver = "meter"\ninterval = "3s"\n[devices.b]\ndriver = "meter"\n'
    )
    assert [device.interval for device in settings.devices] == [3.0, 2.0]
    assert [device.timeout for device in settings.devices] == [3.0, 3.0]
    assert [device.area for device in settings.devices] == ["Attic", "Attic"]


def test_a_streaming_driver_ignores_the_schedule_of_the_defaults(workshop: Workshop) -> None:
    """What is set for all devices does not break the one that has no schedule."""
    text = '[defaults]\ninterval = "2s"\nalign = true\noffset = "1s"\n[devices.s]\ndriver = "stream"\n'
    (device,) = workshop.load(text).devices
    assert (device.interval, device.align, device.offset) == (None, False, 0.0)


def test_events_are_not_retained_unless_asked(workshop: Workshop) -> None:
    """An old tag scan must not greet every new subscriber."""
    text = '[devices.r]\ndriver = "tags"\nreader = "x"\n'
    assert workshop.load(text).devices[0].retain is False
    assert workshop.load(text + "retain = true\n").devices[0].retain is True


def test_an_event_devices_own_channels_may_be_called_event_and_tag(workshop: Workshop) -> None:
    """The reserved keys are the gateway's names for just these channels."""
    (device,) = workshop.load('[devices.r]\ndriver = "tags"\nreader = "x"\n').devices
    assert [channel.key for channel in device.channels] == ["event", "tag", "strength"]


def test_a_broken_driver_fails_alone(workshop: Workshop) -> None:
    """Running goes on without it, and says where the mistake is; its options are unknown, so none is refused."""
    text = DEVICE + '[devices.b]\ndriver = "broken"\nname = "B"\nport = "x"\nenabled = false\n'
    good, broken = workshop.load(text, strict=False).devices
    assert good.broken == ""
    assert broken.driver_type is None
    assert broken.broken == f"{workshop.drivers}/broken.py:5: '(' was never closed"
    assert (broken.name, broken.enabled) == ("B", False)
    assert workshop.mistakes(DEVICE + '[devices.b]\ndriver = "broken"\nenabled = 1\n', strict=False) == [
        "sensorpost.toml:5: devices.b.enabled: is not true or false (got 1); write true without quotes"
    ]


def test_environment(workshop: Workshop) -> None:
    """${NAME} is filled in anywhere in a text, $${ stays a plain ${, keys and other dollars are left alone."""
    text = DEVICE + 'name = "${WHO}s $${WHO} $5 ${WHO}"\ntags = { "${WHO}" = "${EMPTY}" }\n'
    (device,) = workshop.load(text, {"WHO": "Ann", "EMPTY": ""}).devices
    assert device.name == "Anns ${WHO} $5 Ann"
    assert device.tags == {"${WHO}": ""}


def test_files_are_found_in_order(tmp_path: Path) -> None:
    """The named file, then $SENSORPOST_CONFIG, then ./sensorpost.toml; else there is none."""
    assert find(Path("x.toml"), environ={"SENSORPOST_CONFIG": "y.toml"}) == Path("x.toml")
    assert find(environ={"SENSORPOST_CONFIG": "/y.toml"}, cwd=tmp_path) == Path("/y.toml")
    assert find(environ={}, cwd=tmp_path) is None
    (tmp_path / "sensorpost.toml").touch()
    assert find(environ={}, cwd=tmp_path) == tmp_path / "sensorpost.toml"


def test_no_configuration_at_all(tmp_path: Path) -> None:
    """One line that says what to do."""
    with pytest.raises(ConfigErrors) as caught:
        load(environ={}, cwd=tmp_path)
    (line,) = caught.value.lines()
    assert line == (
        "no configuration found: there is no ./sensorpost.toml and no /etc/sensorpost/sensorpost.toml; "
        "name one with -c FILE or $SENSORPOST_CONFIG, or try without any: sensorpost demo"
    )


def test_dropped_in_files_are_added(workshop: Workshop) -> None:
    """sensorpost.d/*.toml in name order, devices and sections alike."""
    workshop.write('[devices.c]\ndriver = "meter"\n', "sensorpost.d/20-c.toml")
    workshop.write('[devices.b]\ndriver = "meter"\n[mqtt]\nkeepalive = "5s"\n', "sensorpost.d/10-b.toml")
    workshop.write("nonsense", "sensorpost.d/notes.txt")
    settings = workshop.load(DEVICE + '[mqtt]\nurl = "mqtt://x"\n')
    assert [device.device for device in settings.devices] == ["a", "b", "c"]
    assert settings.mqtt.keepalive == 5.0
    assert [path.name for path in settings.files] == ["sensorpost.toml", "10-b.toml", "20-c.toml"]


def test_a_key_in_two_files_names_both_places(workshop: Workshop) -> None:
    """Neither silently wins; a table in one and a value in the other is the same mistake."""
    workshop.write('[devices.a]\ninterval = "5s"\n\n[mqtt.url]\nx = 1\n', "sensorpost.d/10.toml")
    assert workshop.mistakes(DEVICE + 'interval = "1s"\n[mqtt]\nurl = "mqtt://x"\n') == [
        "sensorpost.d/10.toml:2: devices.a.interval: is set twice, first in sensorpost.toml:3; keep one of them",
        "sensorpost.d/10.toml:4: mqtt.url: is set twice, first in sensorpost.toml:5; keep one of them",
    ]


def test_mistakes_come_in_the_order_of_files_and_lines(workshop: Workshop) -> None:
    """The reader walks through the files once."""
    workshop.write("[devices.a]\ngain = -1\n[log]\nlevl = 1\n", "sensorpost.d/10.toml")
    places = [line.split(": ")[0] for line in workshop.mistakes(DEVICE + "adress = 1\nname = 3\n[mqtt]\nx = 1\n")]
    assert places == [
        "sensorpost.toml:3",
        "sensorpost.toml:4",
        "sensorpost.toml:6",
        "sensorpost.d/10.toml:2",
        "sensorpost.d/10.toml:4",
    ]


def test_a_folder_of_ones_own_drivers(workshop: Workshop) -> None:
    """It begins in the configuration's folder."""
    folder = workshop.folder / "mine"
    folder.mkdir(mode=0o755)
    (folder / "own.py").write_text((workshop.drivers / "stream.py").read_text())
    path = workshop.write('[gateway]\ndrivers_dir = "mine"\n[devices.a]\ndriver = "own"\n')
    settings = load(path, environ={}, strict=True)
    assert settings.drivers_dir == folder
    assert settings.devices[0].driver == "own"
    assert settings.warnings == ()
    folder.chmod(0o775)
    (warning,) = load(path, environ={}).warnings
    assert warning.startswith(f"{path}:2: gateway.drivers_dir: {folder}: others than the owner may write here")


def test_the_hash_follows_the_content_not_the_secrets(workshop: Workshop) -> None:
    """Comments and passwords do not change it (it is published); a value does."""
    head = '[mqtt]\nusername = "pi"\npassword = "{}"\n'
    first = workshop.load(head.format("one") + DEVICE).config_hash
    assert workshop.load(head.format("two") + "# note\n" + DEVICE).config_hash == first
    assert workshop.load(head.format("one") + DEVICE + "gain = 2\n").config_hash != first


def test_built_in_text(workshop: Workshop) -> None:
    """The demo's configuration is in no file."""
    settings = loads(DEVICE, environ={}, catalog=Catalog(bundled=workshop.drivers), host=Host(name=lambda: "x"))
    assert settings.files == ()
    with pytest.raises(ConfigErrors, match=r"^<built-in>:1: not TOML"):
        loads("=", environ={})


def test_settings_compare_by_value(workshop: Workshop) -> None:
    """A reload restarts only what changed."""
    text = '[mqtt]\nusername = "pi"\npassword = "x"\n' + DEVICE
    assert workshop.load(text).devices == workshop.load(text).devices
    assert workshop.load(text).mqtt == workshop.load(text).mqtt
    assert workshop.load(text).mqtt.password == Secret("x")


def test_a_hundred_devices_with_a_hundred_mistakes_take_well_under_a_second(workshop: Workshop) -> None:
    """All is checked at once, and fast."""
    good = "".join(f'[devices.d{n}]\ndriver = "meter"\npins = [{n}]\n' for n in range(100))
    bad = good.replace("pins", "pinz")
    workshop.load(DEVICE)
    begin = time.process_time()
    workshop.load(good)
    assert len(workshop.mistakes(bad)) == 100
    assert time.process_time() - begin < 0.5
