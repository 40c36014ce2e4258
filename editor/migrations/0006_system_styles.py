from django.db import migrations

KEEP = "otherwise keep the subject and composition"

# In the order of their tiles: four beside "None", then five in a row.
STYLES = [
    (
        "Gouache",
        "as a gouache painting with visible brush strokes, flat opaque colour and a light paper grain",
    ),
    ("Pencil", "as a pencil sketch with fine graphite lines, soft shading and white paper"),
    ("Night", "as a night scene with deep blue shadows, soft moonlight and warm glowing lights"),
    ("Pop", "as a pop art screen print with bold flat inks and halftone dots"),
    (
        "Wash",
        "as a watercolour painting with soft transparent washes, dried pigment edges and paper showing through",
    ),
    ("Ink", "as a black ink drawing with bold brush lines, solid black shadows and cream paper"),
    ("Film", "as a vintage film photograph with faded colours, yellowed whites and fine grain"),
    ("Cinema", "as a cinematic film still with teal shadows, amber highlights and rich contrast"),
    ("Golden", "in golden hour light with a low warm sun and a soft golden haze"),
    ("Dreamy", "with a dreamy soft-focus glow, bright airy light and pale pastel colours"),
    (
        "Noir",
        "as a black and white film noir still with strong contrast, deep shadows, dark corners and film grain",
    ),
    ("Matte", "with a muted matte finish, lifted blacks and soft colours"),
    (
        "Riso",
        "as a two-colour risograph print with overlapping pink and teal inks, grainy texture and slight misregistration",
    ),
    ("Pixel", "as pixel art with large square pixels and a limited colour palette"),
]


def create(apps, schema_editor):
    styles = apps.get_model("editor", "Style").objects
    for position, (name, look) in enumerate(STYLES):
        # The first four are there already, with shorter prompts.
        styles.update_or_create(
            workspace=None,
            name=name,
            defaults={
                "prompt": f"{look}, {KEEP}",
                "preview": f"styles/{name.lower()}.webp",
                "position": position,
            },
        )


class Migration(migrations.Migration):
    dependencies = [("editor", "0005_library")]

    operations = [migrations.RunPython(create, migrations.RunPython.noop)]
