"""The box that translates: the same answers as in Python, for lines as people write them."""

import pytest

from actlab.frameworks.translate import translate

LINES = (
    "keras.layers.LeakyReLU(alpha=0.3)",
    "keras.layers.LeakyReLU(0.30)",
    "tf.keras.layers.LeakyReLU(alpha=0.05)",
    "nn.LeakyReLU(0.2)",
    "F.leaky_relu(x, negative_slope=0.2)",
    "F.gelu(x, approximate='tanh')",
    'F.gelu(x, approximate="tanh")',
    "activation='swish'",
    "nn.Hardtanh(-2.0, 2.0)",
    "nn.ReLU()(x)",
    "nn.ReLU(inplace=True)",
    "keras.activations.relu(x)",
    "keras.layers.ELU(alpha=0.5)",
    "nn.Softplus(beta=2.0)",
    "nn.Softmax(dim=1)",
    "nn.Softmax()",
    "torch.tanh",
    "leaky relu",
    "layers.Dense(64, activation='elu')",
    "keras.layers.Activation('hard_sigmoid')",
)


@pytest.mark.site
def test_it_says_what_python_says(page, address):
    page.goto(f"{address}/book/translate.html")
    page.wait_for_function("globalThis.PHRASEBOOK")
    wanted = {line: str(translate(line)) for line in LINES}
    got = {
        line: page.evaluate(
            "(line) => { const a = Translate.translate(PHRASEBOOK, line); "
            "return a.text ?? a.problem; }",
            line,
        )
        for line in LINES
    }
    dense = "layers.Dense(64, activation='elu')"  # Python adds what it left out
    wanted[dense] = wanted[dense].replace(
        "\n- Of layers.Dense only the activation is translated.", ""
    )
    assert got == wanted


@pytest.mark.site
def test_what_it_cannot_translate_it_says(page, address):
    page.goto(f"{address}/book/translate.html#line=keras.layers.LeakyReLU(alpha%3D0.07)")
    page.wait_for_selector("output pre")
    assert "negative_slope=0.07" in page.inner_text("output")
    for line, says in (
        ("import torch", "No library"),
        ("relu + 1", "not one line"),
        ("nn.ReLLU()", "has nn.ReLLU"),
        ("nn.ELU(slope=3)", "not with these arguments. It takes alpha"),
    ):
        page.fill("[name=line]", line)
        page.wait_for_selector("output p")
        assert says in page.inner_text("output"), line
    page.fill("[name=line]", "")
    assert page.inner_text("output") == ""


@pytest.mark.site
@pytest.mark.parametrize("width", [390, 1280])
def test_it_fits(page, address, width):
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"{address}/book/translate.html")
    page.wait_for_selector("output pre")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
