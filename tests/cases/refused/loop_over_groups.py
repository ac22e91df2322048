# data: customers.csv
# %%
import pandas as pd
from sklearn.linear_model import LogisticRegression
df = pd.read_csv("data.csv")

# %%
out = pd.DataFrame()
for city, part in df.groupby("city"):
    part = part.copy()
    part["apart"] = part["visits"] - part["visits"].mean()
    out = pd.concat([out, part])

# %%
model = LogisticRegression().fit(out[["visits", "apart"]], out["churned"])

# refused
# 2:4 loop-over-groups
