"""What leaves the house: editions and alerts, to the channels of feeds.yaml, each of them once.

`alerts` finds what a rule waits for, `outbox` keeps what is to be sent and what was, `channels` sends (Apprise).
"""
