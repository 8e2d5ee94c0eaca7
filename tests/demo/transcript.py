"""The demo's transcript: steps, and in each a column per endpoint."""

import textwrap


class Transcript:
    def __init__(self, columns, width, out):
        self.columns = columns
        self.out = out
        self.counter = 0  # of the IMs sent
        self.steps = 0
        self.lines = []  # (column, text) of the step that runs
        gap = 2
        self.gap = " " * gap
        self.width = max(12, (width - gap * len(columns)) // len(columns))

    def step(self, title):
        """Ends the step before and starts one."""
        self.flush()
        self.steps += 1
        self.out.write(f"\n{self.steps}. {title}\n\n")
        self.row([f"{name} ".ljust(self.width, "-") for name in self.columns])
        self.out.flush()

    def add(self, column, text):
        self.lines.append((column, text))

    def flush(self):
        """Prints what happened: what went on at once shares a row."""
        rows = []  # each a dict of column: text
        for column, text in self.lines:
            if not rows or not self.fits(rows[-1], column, text):
                rows.append({})
            rows[-1][column] = text
        for row in rows:
            self.print_row(row)
        self.lines = []
        self.out.flush()

    @staticmethod
    def fits(row, column, text):
        """IMs that arrive, and sign-ins, stand side by side."""
        kinds = {kind_of(other) for other in row.values()}
        return column not in row and kinds == {kind_of(text)}

    def print_row(self, row):
        wrapped = [
            textwrap.wrap(row.get(column, ""), self.width)
            for column in self.columns
        ]
        for i in range(max(map(len, wrapped))):
            self.row(
                [
                    (cell[i] if i < len(cell) else "").ljust(self.width)
                    for cell in wrapped
                ]
            )

    def row(self, cells):
        self.out.write(("  " + self.gap.join(cells)).rstrip() + "\n")


def kind_of(text):
    return text[0] if text[0] in "(>[" else "message"
