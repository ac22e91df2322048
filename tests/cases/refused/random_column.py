# data: customers.csv
# %%
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
df = pd.read_csv("data.csv")

# %%
df["noise"] = np.random.normal(size=len(df))

# %%
model = LogisticRegression().fit(df[["noise"]], df["churned"])

# refused
# 2:1 random-column
