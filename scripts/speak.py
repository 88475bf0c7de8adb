#!/usr/bin/env python3
"""Speaks a text with espeak-ng and writes the sound and when each phoneme starts.

usage: speak.py VOICE WORDS_A_MINUTE PITCH TEXT OUT.wav OUT.json

Needs the library libespeak-ng.so.1 (Debian: espeak-ng). Only Python's own modules are used. The
program espeak-ng says which phonemes a text has, but only the library says when.
"""

import ctypes
import json
import sys
import wave

RETRIEVAL, PHONEME_EVENTS = 1, 1
PHONEME, UTF8 = 7, 1
RATE, PITCH = 1, 3


class Event(ctypes.Structure):
    class Id(ctypes.Union):
        _fields_ = [("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8)]

    _fields_ = [
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", Id),
    ]


def main() -> None:
    voice, rate, pitch, text, sound_path, phonemes_path = sys.argv[1:]
    espeak = ctypes.CDLL("libespeak-ng.so.1")
    rate_hz = espeak.espeak_Initialize(RETRIEVAL, 0, None, PHONEME_EVENTS)
    if rate_hz <= 0 or espeak.espeak_SetVoiceByName(voice.encode()) != 0:
        sys.exit(f"espeak-ng has no voice {voice}")
    sound = bytearray()
    phonemes = []

    callback_type = ctypes.CFUNCTYPE(
        ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(Event)
    )

    @callback_type
    def callback(samples, n, events):
        if samples and n > 0:
            sound.extend(ctypes.string_at(samples, 2 * n))
        i = 0
        while events[i].type != 0:
            if events[i].type == PHONEME:
                name = bytes(events[i].id.string).split(b"\0")[0].decode("utf-8", "replace")
                phonemes.append([round(events[i].audio_position / 1000.0, 3), name])
            i += 1
        return 0

    espeak.espeak_SetSynthCallback(callback)
    espeak.espeak_SetParameter(RATE, int(rate), 0)
    espeak.espeak_SetParameter(PITCH, int(pitch), 0)
    data = text.encode()
    if espeak.espeak_Synth(data, len(data) + 1, 0, 0, 0, UTF8, None, None) != 0:
        sys.exit("espeak-ng could not speak the text")
    espeak.espeak_Synchronize()
    with wave.open(sound_path, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate_hz)
        out.writeframes(bytes(sound))
    with open(phonemes_path, "w") as out:
        json.dump({"secs": len(sound) / 2 / rate_hz, "phonemes": phonemes}, out)


main()
