"""What a key may be set to, for better or worse."""

NUMBERS = [
    "-1", "0", "3", "0.5", "-0.5", "1e308", "-1e308", "1e-308", "nan", "inf", "-inf", f"{10**30}",
    f"-{10**30}", f"{2**31}", f"{2**53}", f"{2**62}", f"{2**63 - 1}", f"{2**63}", "1e400", "1e38",
    "1e-320", "9" * 5000, "999999999999", "0x10", "1_000", "1e3", "00", "1.", "٣",
]  # fmt: skip
TEXTS = [
    "text", "''", "' '", "𝟚", "'עברית'", "🦊", "a\x00b", "'a\nb'", "'a\u2028b'", "'\x1b[31m'", "\t",
    "'\udc80'", "NULL", "yes", "None", ".", "a:b", "a=b", "-", "--", "#", "@", "!!python/none x",
    "*a", "&a", "x" * 5000, "/dev/null", "gone/file.npz", "file.txt", "%s{}", "{0}", "a.b",
]  # fmt: skip
STRUCTURES = [
    "null", "true", "[]", "[1]", "[null]", "[[1],[2]]", "[a,b]", "{}", "{a:1}", "{a:{b:[1,null]}}",
    "[" * 200 + "]" * 200, "{_target_:os.getcwd}", "{_target_:5}", "[{_target_:torch.nn.ReLU}]",
]  # fmt: skip
REFERENCES = [
    "${nope}", "${oc.env:NOPE}", "${oc.env:}", "${KEY}", "${${KEY}}", "[${KEY}]", "???", "${seed}",
    "${data}", "${model}", "${derived.shape}", "${hydra:runtime.cwd}", "${hydra:nope}", "${now:%Y}",
    "${oc.decode:'['}", "${oc.decode:'[1,2]'}", "${nope:1}", "${oc.select:nope,3}",
    "${oc.dict.keys:data}", "${..seed}", "${.nope}", "${}",
    "${oc.create:{a:1}}", "${oc.create:[1]}", "${now:}", "${...x}", "${oc.deprecated:seed}",
    "${hydra:}", "${hydra:job.num}", "${oc.decode:3}", "${oc.env:NOPE,}", "${derived.x}",
    "${derived.steps_per_epoch}", "${oc.select:KEY}", "a${nope}", "[${...x},1]",
]  # fmt: skip
SYNTAX = [
    "'", '"', "[", "]", "{", "}", "${", "$", "(", ")", "a,b", ",", "\\", "\\,", "range(1,3)",
    "choice(1,2)", "glob(*)", "sort(3,2)", "shuffle([1,2])", "interval(0,1)", "int('x')",
    "int(3.5)", "float(nan)", "json_str({a:1})", "extend_list(1)", "tag(a)", "nope(1)", "str([1])",
    "bool(maybe)",
]  # fmt: skip
LEGAL = [  # for some key at least: what comes of it is run
    "1", "2", "7", "false", "0.1", "1e-3", "100", "[1,2]", "[4]", "[0.5,0.9]", "gaussian", "none",
    "sigmoid", "shared", "learned", "relu", "[relu,tanh]", "random", "tsne", "joint", "threshold",
    "static", "validation", "bf16-mixed", "svg", "npz", "last", "cpu", "999999999",
]  # fmt: skip
VALUES = [*LEGAL, *LEGAL, *NUMBERS, *TEXTS, *STRUCTURES, *REFERENCES, *SYNTAX]
FLAGS = [
    "--nope", "-x", "--seed=3", "--cfg", "--cfg nope", "--cfg job", "--config-dir", "-cd",
    "--config-dir=gone", "--config-dir=file.txt", "--config-name=gone", "--config-name=model/vae",
    "--config-name=", "--config-name=🦊", "-cn", "--multirun=3", "-p", "--package=nope",
    "--package=nope --cfg job",
    "--completion", "--completion nope", "--cfg all --resolve",
    "--cfg job --info", "--info nope", "--hydra-help --cfg job", "--version", f"--{'x' * 5000}",
    f"--cfg={'x' * 5000}", f"--config-name={'x' * 5000}", f"--config-dir={'x' * 5000}",
    "x" * 5000, f"{'x' * 5000}=1",
    "--resolve", "-", "--", "---", "-1", "--help=3", "--info=nope", "-c hydra -p nope", "--=", "-m",
]  # fmt: skip
SWEEPS = ["seed=0,nope", "data=digits,nope", "nope=1,2", "seed=", "seed=,", "a,b=1"]
