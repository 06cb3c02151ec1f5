"""Sessions: what Gradio remembers of each page, within a share of each address and an age."""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime, timedelta

import gradio as gr
from gradio.state_holder import StateHolder

MOST_OF_ADDRESS = 40  # pages of one address that are remembered


class Sessions:
    """Pages by the address that opened them; safe in the server's own thread."""

    def __init__(self, blocks: gr.Blocks, most: int = MOST_OF_ADDRESS):
        self.blocks, self.most = blocks, most
        self._of: OrderedDict[str, OrderedDict[str, None]] = OrderedDict()

    def used(self, session: str, address: str) -> None:
        """A page has asked something: the oldest of its own address makes room, and none of another's."""
        own = self._of.setdefault(address, OrderedDict())
        own[session] = None
        own.move_to_end(session)
        while len(own) > self.most:
            self._forget(own.popitem(last=False)[0])

    def forget_closed(self, seconds: float) -> None:
        """Forget pages that are closed and have asked nothing for so long."""
        old = datetime.now() - timedelta(seconds=seconds)
        for session, state in [*self.holder.session_data.items()]:
            if state.is_closed and self.holder.time_last_used.get(session, old) <= old:
                self._forget(session)
        for address in [*self._of]:
            own = self._of[address]
            for session in [one for one in own if one not in self.holder.session_data]:
                del own[session]
            if not own:
                del self._of[address]

    @property
    def holder(self) -> StateHolder:
        """That of the app that serves the blocks, which is another before they are launched."""
        return self.blocks.state_holder

    def _forget(self, session: str) -> None:
        self.holder.session_data.pop(session, None)
        self.holder.time_last_used.pop(session, None)
