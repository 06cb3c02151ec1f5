"""Charts: their lines carry the numbers of the trace, and drawing them keeps no global state."""

import ast
import dataclasses
import io
from pathlib import Path

import numpy as np
import pytest
from matplotlib.container import BarContainer

import visual
from aim_core.layer_trace import LayerTrace
from tests.helpers.drawn_trace import make_trace
from tests.helpers.warned import no_warnings
from visual.charts import cost_figure, retained_figure, sorted_scores_figure

RECORDS = {"aim_core.trace", "aim_core.layer_trace", "aim_core.view"}  # all that drawing knows of the core
ALLOWED = {"numpy", "cv2", "matplotlib", "PIL", "visual", *RECORDS}
STANDARD = {"__future__", "collections.abc", "colorsys", "dataclasses", "functools", "math", "pathlib", "typing"}


def lines(figure):
    return {line.get_label(): line for line in figure.axes[0].get_lines()}


def by_start(figure, start):
    """x and y of the one line whose label starts so."""
    (line,) = [line for label, line in lines(figure).items() if label.startswith(start)]
    return line.get_xdata(), line.get_ydata()


def png_bytes(figure):
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=60)
    return len(file.getvalue())


def test_retained_shows_planned_actual_and_dense():
    shown = lines(retained_figure(make_trace()))
    assert shown["actual"].get_ydata().tolist() == [13, 13, 7, 1, 0]
    assert shown["planned"].get_ydata().tolist() == [13, 13, 7, 3, 0]
    assert shown["dense"].get_ydata().tolist() == [25] * 5  # 24 patches and the suffix row
    assert "_layer" not in shown


def test_retained_marks_the_layer_asked_for():
    figure = retained_figure(make_trace(), layer=2)
    mark = lines(figure)["_layer"]
    assert (mark.get_xdata()[0], mark.get_ydata()[0]) == (2, 7)
    assert "7" in [text.get_text() for text in figure.axes[0].texts]
    with pytest.raises(ValueError, match="layer"):
        retained_figure(make_trace(), layer=5)


def test_ranked_splits_at_what_enters_the_next_layer():
    figure = sorted_scores_figure(make_trace(), 2)  # rows 0, 2, ... 12 score 2^-row; only row 0 goes on
    stay_rank, stay_score = by_start(figure, "enter layer 3: 1")
    gone_rank, gone_score = by_start(figure, "pruned here: 6")
    assert stay_rank.tolist() == [1] and stay_score.tolist() == [1.0]
    assert gone_rank.tolist() == [2, 3, 4, 5, 6, 7]
    assert np.allclose(gone_score, 2.0 ** -np.arange(2, 13, 2))
    assert lines(figure)["_cut"].get_xdata()[0] == 1.5
    assert figure.axes[0].get_yscale() == "log"


def test_ranked_shows_what_was_kept_even_where_it_is_not_the_highest():
    figure = sorted_scores_figure(make_trace(), 1)  # layer 2 keeps every other row, scores rise with the row
    assert by_start(figure, "enter layer 2")[0].tolist() == [1, 3, 5, 7, 9, 11, 13]


def test_ranked_names_the_layer_it_shows():
    assert "layer 2 (layer 4 was not measured)" in sorted_scores_figure(make_trace(), 4).get_suptitle()
    with pytest.raises(ValueError, match="nothing was pruned"):
        sorted_scores_figure(make_trace(scored=False), 1)


@no_warnings
@pytest.mark.parametrize("scores", [np.zeros(13), np.full(13, 0.1), np.full(13, np.nan), [0, *np.ones(12)]])
def test_ranked_draws_odd_scores(scores):
    trace = make_trace()
    layers = (trace.layers[0], LayerTrace(1, trace.layers[1].kept, np.asarray(scores, np.float32)), *trace.layers[2:])
    figure = sorted_scores_figure(dataclasses.replace(trace, layers=layers), 1)
    assert png_bytes(figure) > 1000
    assert all(np.isfinite(line.get_ydata()).all() for line in figure.axes[0].get_lines())


def test_last_layer_prunes_nothing():
    trace = make_trace()
    short = dataclasses.replace(trace, layers=trace.layers[:3], planned=trace.planned[:3])
    figure = sorted_scores_figure(short, 2)
    assert len(by_start(figure, "reach the answer")[0]) == 7 and len(by_start(figure, "pruned")[0]) == 0


def test_cost_bars_have_the_length_of_the_numbers():
    figure = cost_figure((5e12, 100e12), (5e12, 16e12))
    vision, language = [part for part in figure.axes[0].containers if isinstance(part, BarContainer)]
    assert [bar.get_width() for bar in vision] == [5, 5]
    assert [(bar.get_x(), bar.get_width()) for bar in language] == [(5, 100), (5, 16)]
    assert [text.get_text() for text in figure.axes[0].texts] == ["105 TFLOP", "21 TFLOP"]
    assert figure.axes[0].get_xlabel() == "6.2× less in the language model, 5.0× less in total"


def test_cost_claims_no_saving_where_there_is_none():
    figure = cost_figure((0, 0), (0, 3.0))
    assert figure.axes[0].get_xlabel() == "" and png_bytes(figure) > 1000
    for wrong in ((-1, 1), (float("nan"), 1)):
        with pytest.raises(ValueError, match="finite FLOPs"):
            cost_figure(wrong, (1, 1))


def test_visual_imports_only_what_it_may():
    for path in Path(visual.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                assert name in ALLOWED | STANDARD or name.split(".")[0] in ALLOWED, f"{path.name} imports {name}"
