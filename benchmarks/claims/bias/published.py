"""The reference cells: what an independent prototype of the same definitions found.

They were computed once, in numpy and without the shipped code, and are printed to the digits that
are given here.
"""

from __future__ import annotations

# J, sd of R, norm of the gradient; then cosine and noise of each rule.
EXPECTED_COLUMNS = ("paper", "sign-aware", "signed", "Shapley", "leave-one-out", "half", "anchored")
EXPECTED = """
U additive 0.258333 0.108653 0.062731
  .8577/8.394 .9998/2.804 .5227/22.898 1/1.000 1/1.000 1/2.500 1/1.667
U pairwise 0.239815 0.244451 0.118637
  .8007/11.731 .9831/5.080 .3762/73.224 .9740/2.304 1/3.747 1/5.434 .9982/4.264
U saturating 0.796447 0.078210 0.044129
  .8624/7.574 .9980/2.969 .9543/7.091 .9977/1.199 1/2.778 1/1.613 .9994/1.113
U max 0.685185 0.118576 0.064741
  .9446/3.373 .9897/2.440 .9696/3.484 .9006/1.322 1/2.300 1/2.580 .9786/1.576
U threshold 0.111111 0.314270 0.120962
  1/9.899 1/9.899 1/10.667 1/9.667 1/11.500 1/12.625 1/11.986
U and 0.012346 0.110423 0.020160
  1/79 1/79 1/80 1/79 1/79 1/79 1/79
U ndcg 0.424318 0.194015 0.086255
  .6920/30.064 .9752/10.455 .7745/89.044 .9251/1.817 1/11.552 1/7.550 .9859/4.067
AR additive 0.282184 0.134174 0.094474
  .8274/7.980 .9845/2.567 .4463/23.011 .9842/1.660 .9842/1.660 .9967/3.346 .9937/2.397
AR pairwise 0.307908 0.271915 0.182700
  .8262/7.817 .9493/5.347 .6647/57.172 .9530/3.185 .9408/4.672 .9878/5.845 .9833/4.880
AR saturating 0.806541 0.093925 0.062716
  .8236/9.151 .9825/2.864 .9523/9.013 .9657/2.031 .9512/5.045 .9907/2.428 .9809/1.768
AR max 0.708095 0.124450 0.080232
  .8671/7.781 .9835/2.486 .9302/8.142 .9288/1.908 .9435/3.531 .9873/3.329 .9757/1.921
AR threshold 0.067937 0.251637 0.100390
  .9936/20.875 .9936/20.875 .9929/21.986 .9929/20.980 .9938/21.120 .9984/21.706 .9979/21.529
AR ndcg 0.430082 0.138109 0.089435
  .7439/19.399 .9620/8.227 .5087/20.460 .8554/3.912 .8403/7.201 .9494/6.336 .9343/4.798
"""

# Noise of the unbiased rules, and the raw bias of leave-one-out.
UNBIASED_COLUMNS = ("uniform", "prefix", "by ratio")
UNBIASED = """
U additive 7.000 3.541 1.000 .0000
U pairwise 10.322 7.896 3.747 .0000
U saturating 7.376 10.363 2.778 .0000
U max 7.945 11.191 2.300 .0000
U threshold 17.000 15.625 11.500 .0000
U and 79.000 79.000 79.000 .0000
U ndcg 12.492 11.094 11.552 .0000
AR additive 7.767 2.958 6.313 .2233
AR pairwise 8.697 6.048 9.232 .3579
AR saturating 8.673 11.162 17.161 .3556
AR max 10.075 13.618 12.640 .3347
AR threshold 23.718 23.581 29.286 .1116
AR ndcg 10.698 9.535 32.304 .6808
"""

# J, norm of the gradient; then cosine and improvement with 1 group and with 64.
GROUPED_COLUMNS = (
    "uniform",
    "standardised",
    "paper",
    "sign-aware",
    "signed",
    "prefix",
    "leave-one-out",
    "half",
    "anchored",
)
GROUPED = """
T additive 0.308876 0.080490
  1/.4334/.9800 .9999/.4359/.9799 .8645/.3214/.7322 .9999/.7018/.9932 .6624/.1112/.4195
  1/.6225/.9906 1/.7253/.9941 1/.6208/.9905 1/.6748/.9925
T pairwise 0.387606 0.116334
  1/.3182/.9676 .9995/.3191/.9667 .9239/.1857/.8082 .9798/.5474/.9489 .4161/.0018/.0696
  1/.4020/.9773 1/.4688/.9826 1/.4210/.9790 .9985/.4748/.9802
T saturating 0.732007 0.058897
  1/.4200/.9789 .9962/.4203/.9717 .8409/.3252/.6944 .9996/.7086/.9929 .9449/.3881/.8751
  1/.4190/.9788 1/.5965/.9895 1/.6822/.9928 1/.7161/.9938
T max 0.684304 0.072257
  1/.3885/.9760 .9995/.3764/.9739 .9125/.4366/.8210 .9927/.6885/.9789 .9642/.4539/.9147
  1/.2868/.9626 1/.5839/.9890 1/.6183/.9904 .9946/.6790/.9822
T threshold 0.069820 0.080633
  1/.1140/.8917 1/.1143/.8920 1/.1628/.9256 1/.1628/.9256 1/.1757/.9316
  1/.1191/.8964 1/.1435/.9147 1/.1363/.9099 1/.1410/.9131
T ndcg 0.334938 0.018273
  1/.2210/.9478 .9478/.2800/.8683 .4571/.0239/.1864 .8803/.4139/.7646 .8846/.1971/.7478
  1/.2490/.9550 1/.0547/.7874 1/.1900/.9375 .9327/.2950/.8443
"""

Cells = dict[str, dict[str, float]]  # column -> quantity -> number; the game's own are in "game"
Tables = dict[tuple[str, str], Cells]  # by policy and game


def published() -> tuple[Tables, Tables]:
    """Return the reference cells of the two meters."""
    expected = _read(EXPECTED, ("J", "sd", "norm"), EXPECTED_COLUMNS, ("cos", "nu"))
    for line in UNBIASED.strip().splitlines():
        policy, game, *noises, bias = line.split()
        cells = expected[policy, game]
        for column, noise in zip(UNBIASED_COLUMNS, noises, strict=True):
            cells[column] = {"cos": 1.0, "nu": float(noise)}
        cells["leave-one-out"]["bias"] = float(bias)
    return expected, _read(GROUPED, ("J", "norm"), GROUPED_COLUMNS, ("cos", "I1", "I64"))


def _read(
    text: str, heads: tuple[str, ...], columns: tuple[str, ...], quantities: tuple[str, ...]
) -> Tables:
    """Read a table: each row begins with policy, game, and numbers of the game itself."""
    found: Tables = {}
    for row in ("\n" + text.strip()).replace("\n  ", " ").split("\n")[1:]:
        policy, game, *words = row.split()
        numbers, cells = words[: len(heads)], words[len(heads) :]
        found[policy, game] = {"game": dict(zip(heads, map(float, numbers), strict=True))}
        for column, cell in zip(columns, cells, strict=True):
            parts = map(float, cell.split("/"))
            found[policy, game][column] = dict(zip(quantities, parts, strict=True))
    return found
