"""Chatbots for Slack, Discord and Telegram over one core; ``aimem chat`` is its fourth face.

``redaction`` takes secrets out, ``personal`` is one person's memory, ``chatbot`` hears, obeys and answers, ``phrases``
is what it says. A platform's file turns events into messages and replies into calls, and nothing else.
"""
