"""
Answers questions about correlations, symbols and patterns with numpy and scipy, by definition and without any pruning.

The question is a JSON object, or a list of them, given as the first argument or on the standard input; the answer is
JSON. A column is a list of numbers with null for a gap, or where to find one: {"csv": path, "column": name}, with
"returns": true for the simple returns of its values. Nothing here is taken from the kernels that are compared with it.
"""
import csv
import json
import sys
import warnings

import numpy
import scipy
import scipy.stats


def column_of(given):
    if isinstance(given, list):
        return numpy.array([numpy.nan if value is None else value for value in given], dtype=float)
    with open(given["csv"], newline="") as file:
        rows = list(csv.DictReader(file))
    values = numpy.array([float(row[given["column"]]) for row in rows])
    return values[1:] / values[:-1] - 1 if given.get("returns") else values


def with_nulls(values):
    """NaN is no JSON."""
    return [None if not numpy.isfinite(value) else float(value) for value in numpy.ravel(values)]


def is_constant(values):
    return bool(numpy.all(values == values[:1]))


def pair_overlap(x, y):
    has_both = numpy.isfinite(x) & numpy.isfinite(y)
    return x[has_both], y[has_both]


def coefficient(x, y, method):
    if len(x) < 2 or is_constant(x) or is_constant(y):
        return numpy.nan
    answer = scipy.stats.pearsonr(x, y) if method == "pearson" else scipy.stats.spearmanr(x, y)
    return answer[0]


def correlate(question):
    columns = [column_of(given) for given in question["columns"]]
    method = question["correlate"]
    pairs = [[pair_overlap(x, y) for y in columns] for x in columns]
    matrix = [[coefficient(x, y, method) for x, y in row] for row in pairs]
    answer = {
        "matrix": with_nulls(matrix),
        "overlap": [len(x) for row in pairs for x, _ in row],
        "shrinkage": shrinkage_of(pairs, method),
    }
    if len(columns) > 2 and all(numpy.isfinite(c).all() and not is_constant(c) for c in columns):
        # All at once, which is another code path of numpy (BLAS) and of scipy.
        table = numpy.array(columns)
        at_once = numpy.corrcoef(table) if method == "pearson" else scipy.stats.spearmanr(table, axis=1)[0]
        answer["matrixAtOnce"] = with_nulls(at_once)
    return answer


def shrinkage_of(pairs, method):
    """Schaefer & Strimmer 2005, section 2.3 and appendix: sum of Var(r) over sum of r^2, off the diagonal."""
    variances, squares = 0.0, 0.0
    for i, row in enumerate(pairs):
        for j, (x, y) in enumerate(row):
            if i == j or len(x) < 2 or is_constant(x) or is_constant(y):
                continue
            if method == "spearman":
                x, y = scipy.stats.rankdata(x), scipy.stats.rankdata(y)
            n = len(x)
            # Where a column lies makes no difference, but numpy's mean of values near 1e6 costs digits.
            w = scipy.stats.zscore(x - x[0], ddof=1) * scipy.stats.zscore(y - y[0], ddof=1)
            variances += n / (n - 1) ** 3 * numpy.sum((w - w.mean()) ** 2)
            squares += (n / (n - 1) * w.mean()) ** 2
    if squares == 0:
        return 1.0 if variances > 0 else 0.0
    return float(min(1, variances / squares))


def rolling(question):
    x, y = (column_of(given) for given in question["columns"])
    window = question["rolling"]
    least = question.get("minimumOverlap", window)
    answer = []
    for end in range(1, len(x) + 1):
        rows = slice(max(0, end - window), end)
        a, b = pair_overlap(x[rows], y[rows])
        is_undefined = len(a) < least or is_constant(a) or is_constant(b)
        answer.append(numpy.nan if is_undefined else numpy.corrcoef(a, b)[0, 1])
    return {"values": with_nulls(answer)}


def z_normalised(windows):
    means = windows.mean(axis=1, keepdims=True)
    deviations = windows.std(axis=1, keepdims=True)
    flat = deviations < 1e-12 * numpy.maximum(1, numpy.abs(means))
    return numpy.where(flat, 0, (windows - means) / numpy.where(flat, 1, deviations))


def dtw_distances(query, windows, band):
    """The whole table of every window, one cell of all of them at a time; two rows of it are kept."""
    m, n = len(query), windows.shape[1]
    above = numpy.full((n + 1, len(windows)), numpy.inf)
    above[0] = 0
    for i in range(1, m + 1):
        row = numpy.full_like(above, numpy.inf)
        for j in range(max(1, i - band), min(n, i + band) + 1):
            cheapest = numpy.minimum(numpy.minimum(above[j], row[j - 1]), above[j - 1])
            row[j] = cheapest + (query[i - 1] - windows[:, j - 1]) ** 2
        above = row
    return numpy.sqrt(above[n])


def lcss_lengths(query, windows, epsilon, delta):
    m, n = len(query), windows.shape[1]
    above = numpy.zeros((n + 1, len(windows)), dtype=int)
    for i in range(1, m + 1):
        row = numpy.zeros_like(above)
        for j in range(1, n + 1):
            row[j] = numpy.maximum(above[j], row[j - 1])
            if abs(i - j) <= delta:
                is_match = numpy.abs(query[i - 1] - windows[:, j - 1]) <= epsilon
                row[j] = numpy.where(is_match, numpy.maximum(row[j], above[j - 1] + 1), row[j])
        above = row
    return above[n]


def search(question):
    """The best windows of the series for its rows `query` (start, end), those rows themselves left out."""
    series = column_of(question["series"])
    start, end = question["query"]
    m = end - start
    windows = numpy.lib.stride_tricks.sliding_window_view(series, m)
    starts = numpy.array([s for s in range(len(windows)) if s + m <= start or s >= end])
    starts = starts[numpy.isfinite(windows[starts]).all(axis=1)]
    candidates = z_normalised(windows[starts])
    query = z_normalised(series[numpy.newaxis, start:end])[0]
    if question["search"] == "dtw":
        distances = dtw_distances(query, candidates, question["band"])
    else:
        distances = 1 - lcss_lengths(query, candidates, question["epsilon"], question["delta"]) / m
    matches = []
    # A stable sort keeps the smaller start first among equals.
    for index in numpy.argsort(distances, kind="stable"):
        if len(matches) == question["topK"]:
            break
        if all(abs(starts[index] - match["start"]) >= question["exclusionZone"] for match in matches):
            matches.append({"start": int(starts[index]), "distance": float(distances[index])})
    return {"matches": matches}


def distance(question):
    a, b = (column_of(given) for given in question["columns"])
    return {"distance": float(dtw_distances(a, b[numpy.newaxis, :], question["band"])[0])}


def lcss(question):
    a, b = (column_of(given) for given in question["columns"])
    return {"length": int(lcss_lengths(a, b[numpy.newaxis, :], question["epsilon"], question["delta"])[0])}


def lcs(question):
    a, b = (column_of(given) for given in question["columns"])
    return {"length": int(lcss_lengths(a, b[numpy.newaxis, :], 0, max(len(a), len(b)))[0])}


def ranks(question):
    return {"values": with_nulls(scipy.stats.rankdata(column_of(question["columns"][0])))}


def sax(question):
    """Symbols of equal probability under the normal density; segments of equal length."""
    values = column_of(question["columns"][0])
    alphabet, segment = question["alphabet"], question["segment"]
    breakpoints = scipy.stats.norm.ppf(numpy.arange(1, alphabet) / alphabet)
    z = z_normalised(values[numpy.newaxis, :])[0]
    means = [z[start : start + segment].mean() for start in range(0, len(z), segment)]
    return {
        "symbols": numpy.searchsorted(breakpoints, means, side="right").tolist(),
        # How near a mean comes to a border, where rounding decides.
        "nearest": float(numpy.min(numpy.abs(numpy.subtract.outer(means, breakpoints)))),
    }


KINDS = {
    "correlate": correlate,
    "rolling": rolling,
    "search": search,
    "distance": distance,
    "lcss": lcss,
    "lcs": lcs,
    "ranks": ranks,
    "sax": sax,
    "version": lambda _: {"version": f"numpy {numpy.__version__}, scipy {scipy.__version__}"},
}


def answer(question):
    [kind] = [name for name in KINDS if name in question]
    return KINDS[kind](question)


# Columns of two rows or nearly without movement make scipy warn; the test knows what it compares.
warnings.simplefilter("ignore")
asked = json.loads(sys.argv[1] if len(sys.argv) > 1 else sys.stdin.read())
print(json.dumps([answer(each) for each in asked] if isinstance(asked, list) else answer(asked)))
