# data: sales.csv stores.csv
# %%
import pandas as pd
from sklearn.linear_model import LinearRegression
sales = pd.read_csv("data.csv")
stores = pd.read_csv("stores.csv")

# %%
df = sales.merge(stores, on="store", how="outer").dropna()

# %%
model = LinearRegression().fit(df[["promo", "area"]], df["units"])

# refused
# 2:1 outer-join
