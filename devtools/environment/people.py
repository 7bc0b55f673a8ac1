"""Companies, contacts and leads of the demo.

As in real databases, some addresses are missing, invalid, shared or in mixed case. The expected
results of `./dev demo --check` are computed from these lists.
"""

COMPANIES = [
    # name, city, email
    ("Alder & Finch Interiors", "Bristol", "hello@alderfinch.example"),
    ("Beacon Street Bakery", "Leeds", "orders@beaconbakery.example"),
    ("Calder Valley Cycles", "Halifax", "shop@caldercycles.example"),
    ("Dovecote Garden Centre", "Shrewsbury", "info@dovecote.example"),
    ("Ebb & Flow Swim School", "Brighton", "team@ebbflow.example"),
    ("Foxglove Florists", "York", "Info@Foxglove.example"),
    ("Greywater Plumbing", "Hull", None),
    ("Hearth & Home Stoves", "Kendal", "sales@hearthhome"),
    ("Ironbridge Tools", "Telford", "contact@ironbridgetools.example"),
    ("Juniper Spa Hotel", "Bath", "reservations@juniperspa.example"),
]

CONTACTS = [
    # name, index of the company (None: a private person), email, job
    ("Amelia Hart", 0, "amelia.hart@alderfinch.example", "Owner"),
    ("Ben Okafor", 0, "hello@alderfinch.example", "Office manager"),
    ("Chloe Barnes", 1, "Chloe.Barnes@BeaconBakery.example", "Head baker"),
    ("Daniel Price", 1, "daniel.price@beaconbakery.example", "Deliveries"),
    ("Elsie Turner", 2, "elsie@caldercycles.example", "Owner"),
    ("Farid Rahman", 2, "farid@caldercycles.example", "Workshop"),
    ("Grace Liddell", 3, "grace.liddell@dovecote.example", "Buyer"),
    ("Harry Webb", 3, "harry.webb@dovecote.example", "Manager"),
    ("Isla McKay", 4, "isla@ebbflow.example", "Head coach"),
    ("Jack Sullivan", 4, "jack@ebbflow.example", "Coach"),
    ("Kavita Shah", 5, "kavita@foxglove.example", "Owner"),
    ("Liam Doyle", 5, "info@foxglove.example", "Weddings"),
    ("Maya Ellis", 6, None, "Plumber"),
    ("Noah Griffiths", 6, "noah@greywater.example", "Owner"),
    ("Olivia Stone", 7, "olivia@hearthhome.example", "Showroom"),
    ("Peter Lowe", 7, "peter.lowe@", "Fitter"),
    ("Quentin Ash", 8, "quentin@ironbridgetools.example", "Owner"),
    ("Rosa Marino", 8, "rosa@ironbridgetools.example", "Accounts"),
    ("Samir Khan", 9, "samir@juniperspa.example", "Manager"),
    ("Tilly Fox", 9, "tilly@juniperspa.example", "Events"),
    ("Una Byrne", None, "una.byrne@mail.example", None),
    ("Victor Hale", None, "victor.hale.mail.example", None),
    ("Wendy Clarke", None, None, None),
    ("Yusuf Demir", None, "yusuf.demir@mail.example", None),
]

LEADS = [
    # subject, name, email
    ("New shop window", "Abigail Reed", "abigail.reed@mail.example"),
    ("Bread for a café chain", "Bruno Silva", "bruno@silvacafes.example"),
    ("Fleet of cargo bikes", "Carys Morgan", "carys.morgan@council.example"),
    ("Autumn bulbs, 4,000 pieces", "Dev Patel", "dev.patel@parks.example"),
    ("Swimming lessons for a school", "Erin Walsh", "erin.walsh@stmarys.example"),
    ("Flowers for a June wedding", "Una Byrne", "UNA.BYRNE@mail.example"),
    ("Boiler at the parish hall", "Frank Moss", None),
    ("Two wood stoves", "Gemma Nash", "gemma.nash@mail.example"),
    ("Tool hire, six months", "Hugo Lang", "hugo.lang@buildright.example"),
    ("Spa weekend for a team of 12", "Ines Costa", "ines.costa@brightside.example"),
    ("Kitchen refit", "Jonas Berg", "jonas.berg@mail.example"),
    ("Sourdough course", "Kim Lee", "kim.lee@mail.example"),
    ("Second-hand tandem", "Lena Vogel", "lena.vogel@@mail.example"),
    ("Roof garden", "Marcus Boyd", "marcus.boyd@skyline.example"),
    ("Restaurant flowers, weekly", "Nora Quinn", "nora@quinns.example"),
    ("Chimney lining", "Olivia Stone", "olivia@hearthhome.example"),
]
