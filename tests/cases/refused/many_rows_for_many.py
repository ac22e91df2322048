# data: sales.csv customers.csv
# %%
import pandas as pd
from sklearn.linear_model import LinearRegression
sales = pd.read_csv("data.csv")
customers = pd.read_csv("customers.csv")

# %%
df = sales.merge(customers, left_on="store", right_on="visits")

# %%
model = LinearRegression().fit(df[["promo", "spend"]], df["units"])

# refused
# 2:1 many-to-many-join
