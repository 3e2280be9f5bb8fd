"""The online technology market (网上技术市场): achievements for anybody, needs for who may answer them."""
