# Reads "NAME PAIR VALUE" lines, and on -v ratios="RATIO=OVER/UNDER ..." prints for each
# RATIO, and for each NAME of -v figures="NAME=OUT ...", the median of its pairs:
#   bench NAME median=X min=X max=X pairs=N people=N
# A ratio is taken within each pair, and then its median. What a pair says twice is added up.
{ value[$1, $2] += $3; if ($2 > last) last = $2 }

function sort_values(v, n,   i, j, t) {
    for (i = 2; i <= n; i++)
        for (j = i; j > 1 && v[j - 1] > v[j]; j--) { t = v[j]; v[j] = v[j - 1]; v[j - 1] = t }
}

function show(name, v, n,   median) {
    if (n == 0) return
    sort_values(v, n)
    median = n % 2 ? v[(n + 1) / 2] : (v[n / 2] + v[n / 2 + 1]) / 2
    printf "bench %s median=%.4g min=%.4g max=%.4g pairs=%d people=%d\n", \
        name, median, v[1], v[n], n, people
}

END {
    n_figures = split(figures, figure, " ")
    for (f = 1; f <= n_figures; f++) {
        split(figure[f], part, "=")
        n = 0
        for (p = 1; p <= last; p++)
            if ((part[2], p) in value) v[++n] = value[part[2], p]
        show(part[1], v, n)
    }
    n_ratios = split(ratios, ratio, " ")
    for (r = 1; r <= n_ratios; r++) {
        split(ratio[r], part, "[=/]")
        n = 0
        for (p = 1; p <= last; p++)
            if ((part[2], p) in value && (part[3], p) in value && value[part[3], p] > 0)
                v[++n] = value[part[2], p] / value[part[3], p]
        show(part[1], v, n)
    }
}
