"""Which unit goes with which device class: facts of Home Assistant 2025.4, as data.

A pair that is not here would be shown wrongly or refused there. ``None`` in a list: no unit.
"""

from __future__ import annotations

HOME_ASSISTANT = "2025.4"

_AREA = ("m²", "cm²", "km²", "mm²", "in²", "ft²", "yd²", "mi²", "ac", "ha")
_ENERGY = ("J", "kJ", "MJ", "GJ", "mWh", "Wh", "kWh", "MWh", "GWh", "TWh", "cal", "kcal", "Mcal", "Gcal")
_PRESSURE = ("Pa", "hPa", "kPa", "bar", "cbar", "mbar", "mmHg", "inHg", "psi")
_RAIN_RATE = ("in/d", "in/h", "mm/d", "mm/h")
_SPEED = ("m/s", "km/h", "mph", "kn", "ft/s", "in/s", "mm/s", "Beaufort")
_VOLUME = ("L", "mL", "m³", "ft³", "CCF", "gal", "fl. oz.")
_DENSITY = ("µg/m³",)

SENSOR: dict[str, tuple[str | None, ...]] = {
    "apparent_power": ("VA",),
    "aqi": (None,),
    "area": _AREA,
    "atmospheric_pressure": _PRESSURE,
    "battery": ("%",),
    "blood_glucose_concentration": ("mg/dL", "mmol/L"),
    "carbon_dioxide": ("ppm",),
    "carbon_monoxide": ("ppm",),
    "conductivity": ("S/cm", "mS/cm", "µS/cm"),
    "current": ("A", "mA"),
    "data_rate": (
        *("bit/s", "kbit/s", "Mbit/s", "Gbit/s", "B/s", "kB/s", "MB/s", "GB/s"),
        *("KiB/s", "MiB/s", "GiB/s"),
    ),
    "data_size": (
        *("bit", "kbit", "Mbit", "Gbit", "B", "kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"),
        *("KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"),
    ),
    "distance": ("m", "mm", "cm", "km", "in", "ft", "yd", "mi", "nmi"),
    "duration": ("s", "ms", "μs", "min", "h", "d"),
    "energy": _ENERGY,
    "energy_distance": ("kWh/100km", "mi/kWh", "km/kWh"),
    "energy_storage": _ENERGY,
    "frequency": ("Hz", "kHz", "MHz", "GHz"),
    "gas": ("m³", "ft³", "CCF"),
    "humidity": ("%",),
    "illuminance": ("lx",),
    "irradiance": ("W/m²", "BTU/(h⋅ft²)"),
    "moisture": ("%",),
    "nitrogen_dioxide": _DENSITY,
    "nitrogen_monoxide": _DENSITY,
    "nitrous_oxide": _DENSITY,
    "ozone": _DENSITY,
    "ph": (None,),
    "pm1": _DENSITY,
    "pm10": _DENSITY,
    "pm25": _DENSITY,
    "power": ("W", "mW", "kW", "MW", "GW", "TW"),
    "power_factor": ("%", None),
    "precipitation": ("mm", "cm", "in"),
    "precipitation_intensity": _RAIN_RATE,
    "pressure": _PRESSURE,
    "reactive_power": ("var",),
    "signal_strength": ("dB", "dBm"),
    "sound_pressure": ("dB", "dBA"),
    "speed": (*_SPEED, *_RAIN_RATE),
    "sulphur_dioxide": _DENSITY,
    "temperature": ("°C", "°F", "K"),
    "volatile_organic_compounds": _DENSITY,
    "volatile_organic_compounds_parts": ("ppb", "ppm"),
    "voltage": ("V", "mV", "µV", "kV", "MV"),
    "volume": _VOLUME,
    "volume_flow_rate": ("m³/h", "L/min", "mL/s", "ft³/min", "gal/min"),
    "volume_storage": _VOLUME,
    "water": ("m³", "L", "ft³", "CCF", "gal"),
    "weight": ("kg", "g", "mg", "µg", "oz", "lb", "st"),
    "wind_direction": ("°",),
    "wind_speed": _SPEED,
}
"""Device classes of numbers. ``monetary`` is missing: its unit is any currency."""

BINARY = frozenset(
    {
        *("battery", "battery_charging", "carbon_monoxide", "cold", "connectivity", "door", "garage_door", "gas"),
        *("heat", "light", "lock", "moisture", "motion", "moving", "occupancy", "opening", "plug", "power"),
        *("presence", "problem", "running", "safety", "smoke", "sound", "tamper", "update", "vibration", "window"),
    }
)
"""Device classes of true and false."""

TEXT = frozenset({"date", "enum", "timestamp"})
"""Device classes of text."""

_MEASUREMENT = frozenset({"measurement"})
_TOTALS = frozenset({"total", "total_increasing"})
_ALL = _MEASUREMENT | _TOTALS

STATE_CLASSES: dict[str, frozenset[str]] = {
    **dict.fromkeys(SENSOR, _MEASUREMENT),
    **dict.fromkeys(("energy", "gas", "volume", "water"), _TOTALS),
    **dict.fromkeys(("area", "data_size", "distance", "duration", "precipitation", "weight"), _ALL),
    "monetary": frozenset({"total"}),
    "wind_direction": frozenset({"measurement_angle"}),
}
"""Which state classes a number of each device class may have. Without a device class any of ``PLAIN_STATE_CLASSES``."""

PLAIN_STATE_CLASSES = _ALL
